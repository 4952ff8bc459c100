package spigot.transport.tls;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/** Counts who is connected, and refuses beyond the {@link ServerLimits}. Safe for any thread. */
final class Admission {
    private final ServerLimits limits;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by the lock.
    private final Map<InetAddress, Count> byAddress = new HashMap<>();
    private final Count all = new Count();

    private static final class Count {
        int connections;
        int handshakes;
    }

    Admission(ServerLimits limits) {
        this.limits = limits;
    }

    /** A place for one connection; to be closed with it. */
    final class Place implements AutoCloseable {
        private final InetAddress address;
        // Guarded by the lock.
        private boolean handshaking = true;
        private boolean held = true;

        private Place(InetAddress address) {
            this.address = address;
        }

        /** The peer has shown a certificate of the grid. */
        void authenticated() {
            lock.lock();
            try {
                if (handshaking && held) {
                    handshaking = false;
                    all.handshakes--;
                    count(address).handshakes--;
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            authenticated();
            lock.lock();
            try {
                if (held) {
                    held = false;
                    all.connections--;
                    Count count = count(address);
                    if (--count.connections == 0) {
                        byAddress.remove(address);
                    }
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** @throws TooManyException naming the bound that was reached */
    Place enter(InetAddress address) throws TooManyException {
        lock.lock();
        try {
            Count here = byAddress.get(address);
            check(all.connections, limits.connections(), "connections");
            check(all.handshakes, limits.handshakes(), "connections that are not authenticated yet");
            if (here != null) {
                check(here.connections, limits.connectionsPerAddress(), "connections from one address");
                check(
                        here.handshakes,
                        limits.handshakesPerAddress(),
                        "connections from one address that are not authenticated yet");
            }
            count(address).connections++;
            count(address).handshakes++;
            all.connections++;
            all.handshakes++;
            return new Place(address);
        } finally {
            lock.unlock();
        }
    }

    private Count count(InetAddress address) {
        return byAddress.computeIfAbsent(address, unknown -> new Count());
    }

    private static void check(int count, int bound, String what) throws TooManyException {
        if (count >= bound) {
            throw new TooManyException("there are " + bound + " " + what);
        }
    }

    /** A bound was reached. */
    static final class TooManyException extends Exception {
        private static final long serialVersionUID = 1L;

        TooManyException(String message) {
            super(message);
        }
    }
}
