package spigot.replica;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * Who may change names in which directories of a tree, one after the other: an operation from its look at the tree until the catalog
 * and the index have its outcome, and a scan while it tells what it has found. All directories of a turn are taken at once, in the
 * order in which they were asked for, so that nobody waits for ever and no two for each other. What a scan found before an operation
 * changed the same directory is old: {@link #changedSince}.
 *
 * <p>Safe for any thread; nothing is locked while a turn lasts. Bounded: {@value #MOST} turns, those that wait included.
 */
final class DirectoryTurns {
    private static final int MOST = 512;
    private static final int REMEMBERED = 10_000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition left = lock.newCondition();

    /** In the order in which they came; one is inside when none before it wants one of its directories. */
    private final List<Turn> turns = new ArrayList<>();

    private final SequencedMap<FileId, Long> changedAt = new LinkedHashMap<>();
    private long changes;
    private long forgottenUpTo;

    /** To be closed; then the next one may begin. */
    final class Turn implements AutoCloseable {
        private final Set<FileId> directories;
        private boolean changing;

        private Turn(Set<FileId> directories) {
            this.directories = directories;
        }

        /** From here on until it is closed the directories change. */
        void change() {
            lock.lock();
            try {
                changing = true;
                note(directories);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (turns.remove(this)) {
                    if (changing) {
                        note(directories);
                    }
                    left.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * @throws FailureException NOT_READY when others had them for longer than this: nothing has been done; TOO_MANY when too many wait
     */
    Turn enter(Set<FileId> directories, Duration patience) throws FailureException, InterruptedException {
        Turn turn = new Turn(Set.copyOf(directories));
        long nanos = patience.toNanos();
        boolean entered = false;
        lock.lock();
        try {
            if (turns.size() >= MOST) {
                throw new FailureException(
                        Failure.Code.TOO_MANY, MOST + " operations wait for their turn in one tree: try again");
            }
            turns.add(turn);
            while (isBlocked(turn)) {
                if (nanos <= 0) {
                    throw new FailureException(Failure.newBuilder()
                            .setCode(Failure.Code.NOT_READY)
                            .setMessage("others are changing the same directory: nothing was done yet")
                            .setRetryAfterMillis(20)
                            .build());
                }
                nanos = left.awaitNanos(nanos);
            }
            entered = true;
            return turn;
        } finally {
            if (!entered && turns.remove(turn)) {
                left.signalAll();
            }
            lock.unlock();
        }
    }

    private boolean isBlocked(Turn turn) {
        for (Turn before : turns) {
            if (before == turn) {
                return false;
            }
            for (FileId directory : turn.directories) {
                if (before.directories.contains(directory)) {
                    return true;
                }
            }
        }
        throw new IllegalStateException("a turn is among those that wait");
    }

    /** Counts the changes: for {@link #changedSince} later. */
    long stamp() {
        lock.lock();
        try {
            return changes;
        } finally {
            lock.unlock();
        }
    }

    /** Whether an operation may have changed the directory after this stamp was taken. */
    boolean changedSince(FileId directory, long stamp) {
        lock.lock();
        try {
            @Nullable Long at = changedAt.get(directory);
            return (at == null ? forgottenUpTo : at) > stamp;
        } finally {
            lock.unlock();
        }
    }

    private void note(Set<FileId> directories) {
        changes++;
        for (FileId directory : directories) {
            changedAt.putLast(directory, changes);
        }
        while (changedAt.size() > REMEMBERED) {
            Map.Entry<FileId, Long> forgotten = changedAt.pollFirstEntry();
            forgottenUpTo = Math.max(forgottenUpTo, forgotten.getValue());
        }
    }
}
