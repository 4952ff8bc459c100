package spigot.fuse;

import java.util.concurrent.ArrayBlockingQueue;

/**
 * Reply buffers for requests that are answered away from their worker, borrowed for the time of one answer. Keeps at most {@link #IDLE_SMALL} small and
 * {@link #IDLE_LARGE} large idle ones; how many are out is bounded by {@link PendingRequests}. Any thread.
 */
final class ReplyBuffers {
    static final int SMALL_BYTES = 4096;
    private static final int IDLE_SMALL = 64;
    private static final int IDLE_LARGE = 16;

    private final int largeBytes;
    private final ArrayBlockingQueue<ReplyBuffer> small = new ArrayBlockingQueue<>(IDLE_SMALL);
    private final ArrayBlockingQueue<ReplyBuffer> large = new ArrayBlockingQueue<>(IDLE_LARGE);

    ReplyBuffers(int largeBytes) {
        this.largeBytes = largeBytes;
    }

    ReplyBuffer borrow(int bytes) {
        if (bytes > largeBytes) {
            throw new IllegalArgumentException(bytes + " bytes are more than an answer may have");
        }
        ReplyBuffer idle = bytes <= SMALL_BYTES ? small.poll() : large.poll();
        return idle != null ? idle : new ReplyBuffer(bytes <= SMALL_BYTES ? SMALL_BYTES : largeBytes);
    }

    @SuppressWarnings("FutureReturnValueIgnored")
    void giveBack(ReplyBuffer buffer) {
        boolean kept = (buffer.capacity() == SMALL_BYTES ? small : large).offer(buffer);
        assert kept || small.remainingCapacity() == 0 || large.remainingCapacity() == 0;
    }
}
