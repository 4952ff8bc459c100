package spigot.fuse;

import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** Files whose reads and writes are held as long as the test wants, as if what they need were far away. */
final class HeldFiles extends MemoryFileSystem {
    final Semaphore gate = new Semaphore(0);
    final AtomicInteger held = new AtomicInteger();
    final AtomicInteger interrupted = new AtomicInteger();
    volatile long heldNode = -1;

    private void hold() throws InterruptedException {
        held.incrementAndGet();
        try {
            gate.acquire();
        } catch (InterruptedException e) {
            interrupted.incrementAndGet();
            throw e;
        } finally {
            held.decrementAndGet();
        }
    }

    @Override
    public void read(ReadRequest request) throws IOException {
        if (request.nodeId() == heldNode) {
            request.handOver(later -> {
                hold();
                answer(later);
            });
        } else {
            answer(request);
        }
    }

    private void answer(ReadRequest request) throws IOException {
        super.read(request);
    }

    @Override
    public void write(WriteRequest request) throws IOException {
        if (request.nodeId() == heldNode) {
            request.handOver(later -> {
                hold();
                answer(later);
            });
        } else {
            answer(request);
        }
    }

    private void answer(WriteRequest request) throws IOException {
        super.write(request);
    }
}
