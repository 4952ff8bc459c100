package spigot.cache.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class TransferBuffersTest {
    private final TransferBuffers buffers = new TransferBuffers(2 << 20);

    @Test
    void whoFetchesAheadLeavesAQuarterForWhoNeedsDataNow() throws Exception {
        List<TransferBuffer> ahead = new ArrayList<>();
        for (TransferBuffer b = buffers.tryAcquire(256 << 10); b != null; b = buffers.tryAcquire(256 << 10)) {
            ahead.add(b);
        }
        assertThat(ahead).hasSize(6);
        buffers.acquire(512 << 10).close();
        ahead.forEach(TransferBuffer::close);
        assertThat(buffers.usedBytes()).isZero();
    }

    @Test
    void whoNeedsDataWaitsUntilABufferIsGivenBack() throws Exception {
        TransferBuffer first = buffers.acquire(1 << 20);
        TransferBuffer second = buffers.acquire(1 << 20);
        AtomicReference<TransferBuffer> third = new AtomicReference<>();
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                third.set(buffers.acquire(64 << 10));
            } catch (InterruptedException _) {
                // the test fails then
            }
        });
        await().until(() -> waiting.getState() == Thread.State.WAITING);
        assertThat(third.get()).isNull();
        second.close();
        second.close();
        waiting.join();
        assertThat(third.get()).isNotNull();
        assertThat(buffers.usedBytes()).isEqualTo((1 << 20) + (64 << 10));
        first.close();
    }

    @Test
    void buffersInUseDoNotOverlap() throws Exception {
        List<TransferBuffer> held = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            TransferBuffer buffer = buffers.acquire(1 + i);
            buffer.memory().fill((byte) i);
            held.add(buffer);
        }
        for (int i = 0; i < 32; i++) {
            byte[] bytes = new byte[1 + i];
            held.get(i).view(0, 1 + i).get(bytes);
            assertThat(bytes).containsOnly((byte) i);
        }
    }

    @Test
    void refusesSizesThatNoBufferHas() {
        assertThatThrownBy(() -> buffers.acquire(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> buffers.tryAcquire((1 << 20) + 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
