package spigot.transport.tls;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.transport.LinkBrokenException;

/** The requests of one connection that wait for answers, by call id. Safe for any thread. */
final class PendingCalls {
    /** An answer to a call id may come so many calls late, and is then dropped; older ids are taken for garbage. */
    private static final long REMEMBERED = 1L << 31;

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by the lock.
    private final Map<Integer, PendingCall> calls = new HashMap<>();
    private long issued;
    private @Nullable LinkBrokenException closed;

    private volatile boolean busy;

    /** @return its call id */
    int add(PendingCall call) throws LinkBrokenException {
        lock.lock();
        try {
            if (closed != null) {
                throw closed.again();
            }
            int id;
            do {
                id = (int) ++issued;
            } while (calls.containsKey(id));
            calls.put(id, call);
            busy = true;
            return id;
        } finally {
            lock.unlock();
        }
    }

    /** The call that an answer belongs to; null for one whose caller has gone. */
    @Nullable
    PendingCall find(int id) throws MalformedFrameException {
        lock.lock();
        try {
            PendingCall call = calls.get(id);
            if (call == null) {
                requireIssued(id);
            }
            return call;
        } finally {
            lock.unlock();
        }
    }

    /** False when it was gone already. */
    boolean remove(int id) {
        lock.lock();
        try {
            boolean removed = calls.remove(id) != null;
            busy = !calls.isEmpty();
            return removed;
        } finally {
            lock.unlock();
        }
    }

    private void requireIssued(int id) throws MalformedFrameException {
        long back = (issued - id) & 0xffff_ffffL;
        if (back >= Math.min(issued, REMEMBERED)) {
            throw new MalformedFrameException(
                    "an answer to call " + Integer.toUnsignedString(id) + ", which was never made");
        }
    }

    boolean isBusy() {
        return busy;
    }

    /** Fails all that wait and all to come. */
    void close(LinkBrokenException cause) {
        List<PendingCall> failed;
        lock.lock();
        try {
            if (closed != null) {
                return;
            }
            closed = cause;
            failed = new ArrayList<>(calls.values());
            calls.clear();
            busy = false;
        } finally {
            lock.unlock();
        }
        for (PendingCall call : failed) {
            call.fail(cause.again());
        }
    }
}
