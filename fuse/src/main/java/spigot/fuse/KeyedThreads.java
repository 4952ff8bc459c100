package spigot.fuse;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks on platform threads of its own, those with one key one after another and in order. Threads are started when they are needed, at most
 * {@link #MAX_THREADS}, so that a task that the kernel makes wait holds up its own key only; an idle one ends after {@link #IDLE_SECONDS}.
 * Any thread may submit; at the bound of waiting tasks it waits, but workers of a mount get a failed future, as the kernel may need them to go on.
 */
final class KeyedThreads {
    static final int MAX_THREADS = 64;
    private static final int IDLE_SECONDS = 10;

    @FunctionalInterface
    interface Task {
        boolean run() throws Exception;
    }

    private record Waiting(Task task, CompletableFuture<Boolean> result) {}

    private final String threadName;
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition workArrived = lock.newCondition();
    private final Condition roomArrived = lock.newCondition();
    // All guarded by lock. A key is in the map while it has tasks, and in ready while none of them runs.
    private final Map<Long, ArrayDeque<Waiting>> tasks = new HashMap<>();
    private final ArrayDeque<Long> ready = new ArrayDeque<>();
    private int size;
    private int threads;
    private int idle;
    private int started;
    private boolean closed;

    KeyedThreads(String threadName, int capacity) {
        this.threadName = threadName;
        this.capacity = capacity;
    }

    CompletableFuture<Boolean> submit(long key, Task task) {
        Waiting waiting = new Waiting(task, new CompletableFuture<>());
        lock.lock();
        try {
            while (size >= capacity && !closed) {
                if (Worker.isCurrentThread()) {
                    return CompletableFuture.failedFuture(
                            new FuseException("more than " + capacity + " notifications wait"));
                }
                roomArrived.awaitUninterruptibly();
            }
            if (closed) {
                return CompletableFuture.failedFuture(new FuseException("the mount has ended"));
            }
            size++;
            ArrayDeque<Waiting> queue = tasks.get(key);
            if (queue == null) {
                queue = new ArrayDeque<>(2);
                tasks.put(key, queue);
                ready.add(key);
                wake();
            }
            queue.add(waiting);
        } finally {
            lock.unlock();
        }
        return waiting.result();
    }

    private void wake() {
        if (idle >= ready.size()) {
            workArrived.signal();
        } else if (threads < MAX_THREADS) {
            threads++;
            Thread.ofPlatform().daemon().name(threadName + started++).start(this::work);
        }
    }

    private void work() {
        lock.lock();
        try {
            Long key;
            while ((key = nextKey()) != null) {
                ArrayDeque<Waiting> queue = tasks.get(key);
                Waiting next = queue == null ? null : queue.peek();
                if (queue == null || next == null) {
                    throw new IllegalStateException("a key without a task is ready");
                }
                lock.unlock();
                try {
                    run(next);
                } finally {
                    lock.lock();
                }
                queue.remove();
                size--;
                roomArrived.signal();
                if (queue.isEmpty()) {
                    tasks.remove(key);
                } else {
                    ready.add(key);
                }
            }
        } finally {
            threads--;
            lock.unlock();
        }
    }

    /** Waits for a key that is ready; null when this thread should end. Called with the lock. */
    private @Nullable Long nextKey() {
        long left = TimeUnit.SECONDS.toNanos(IDLE_SECONDS);
        idle++;
        try {
            while (ready.isEmpty() && !closed && left > 0) {
                left = workArrived.awaitNanos(left);
            }
            return ready.poll();
        } catch (InterruptedException e) {
            return ready.poll(); // nobody has this thread to interrupt it
        } finally {
            idle--;
        }
    }

    private static void run(Waiting waiting) {
        try {
            waiting.result().complete(waiting.task().run());
        } catch (Throwable e) {
            waiting.result().completeExceptionally(e);
        }
    }

    int size() {
        lock.lock();
        try {
            return size;
        } finally {
            lock.unlock();
        }
    }

    /** Refuses new tasks; those that wait are still run. */
    void close() {
        lock.lock();
        try {
            closed = true;
            workArrived.signalAll();
            roomArrived.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
