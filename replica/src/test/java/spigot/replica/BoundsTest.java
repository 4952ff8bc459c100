package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Descriptor;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.model.RawBytes;
import spigot.transport.BlockChecksums;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

@DisplayName("Whatever is asked,")
class BoundsTest {
    @TempDir
    private Path directory;

    @Test
    void buffersWaitForRoomAndAreUsedAgain() throws Exception {
        ReadBuffers buffers = new ReadBuffers(ReadBuffers.MAX_BYTES);
        ByteBuffer all = buffers.take(ReadBuffers.MAX_BYTES);
        AtomicBoolean taken = new AtomicBoolean();
        Thread waiting = Thread.startVirtualThread(() -> {
            try {
                ByteBuffer small = buffers.take(100);
                taken.set(small.remaining() == 100);
                buffers.give(small);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        await().until(() -> waiting.getState() == Thread.State.WAITING);
        assertThat(taken).isFalse();
        buffers.give(all);
        waiting.join();
        assertThat(taken).isTrue();
        assertThat(buffers.take(ReadBuffers.MAX_BYTES - 1))
                .satisfies(again -> assertThat(again.capacity()).isEqualTo(ReadBuffers.MAX_BYTES));
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> buffers.take(ReadBuffers.MAX_BYTES + 1));
    }

    @Test
    void aFileSystemThatHangsIsRefusedMoreWorkInTheEnd() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        AtomicInteger refused = new AtomicInteger();
        try (IoPool pool = new IoPool("test", 1)) {
            for (int i = 0; i < 5000; i++) { // more than may wait
                Thread.startVirtualThread(() -> {
                    try {
                        pool.run(() -> {
                            hanging.await();
                            return null;
                        });
                    } catch (FailureException e) {
                        if (e.code() == Failure.Code.TOO_MANY) {
                            refused.incrementAndGet();
                        }
                    } catch (Exception e) {
                        // Those that wait when the pool is closed.
                    }
                });
            }
            // By now it is full, and stays so.
            await().atMost(Duration.ofSeconds(20)).until(() -> refused.get() > 0);
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> pool.run(() -> null))
                    .matches(e -> e.code() == Failure.Code.TOO_MANY);
            hanging.countDown();
        }
    }

    @Test
    void readsAfterAChangeAreComparedUpToABound() throws Exception {
        byte[] content = new byte[3 * 4096 + 10];
        content[5000] = 1;
        Path file = Files.write(directory.resolve("file"), content);
        try (Descriptor opened = new Descriptor(Libc.open(file.toString(), Machine.O_RDONLY, 0))) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(4096);
            UnsettledReads reads = new UnsettledReads();
            reads.add(0, checksums(content));
            reads.add(0, checksums(content));
            assertThat(reads.stillTrue(opened.number(), content.length, buffer)).isTrue();

            UnsettledReads other = new UnsettledReads();
            byte[] different = content.clone();
            different[12_290] = 1;
            other.add(0, checksums(different));
            assertThat(other.stillTrue(opened.number(), content.length, buffer)).isFalse();

            UnsettledReads torn = new UnsettledReads();
            torn.add(0, checksums(different));
            torn.add(0, checksums(content));
            assertThat(torn.stillTrue(opened.number(), content.length, buffer)).isFalse();

            UnsettledReads tooMany = new UnsettledReads();
            tooMany.add(0, ByteString.copyFrom(new byte[4 * (UnsettledReads.MAX_BLOCKS + 1)]));
            assertThat(tooMany.stillTrue(opened.number(), content.length, buffer))
                    .isFalse();
        }
    }

    @Test
    void halfOfTheDescriptorsAreLeftToOthers() {
        assertThat(DescriptorLimit.parse("""
                Limit                     Soft Limit           Hard Limit           Units
                Max processes             63000                63000                processes
                Max open files            2000                 524288               files
                """)).isEqualTo(2000);
        assertThat(DescriptorLimit.parse("Max open files            unlimited            unlimited"))
                .isEqualTo(Integer.MAX_VALUE);
        assertThat(DescriptorLimit.ofThisProcess()).isGreaterThan(100);
    }

    @Test
    void mountsOfGridsAreTold() {
        SpigotMounts mounts = SpigotMounts.parse("""
                22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
                41 22 0:45 / /mnt/a\\040b rw,nosuid master:1 - fuse.spigot spigot rw,user_id=0
                42 22 0:46 / /mnt/other rw - fuse.sshfs x rw
                """);
        assertThat(mounts.points()).containsOnly(java.util.Map.entry(41L, RawBytes.ofUtf8("/mnt/a b")));
        assertThat(mounts.contains(42)).isFalse();
    }

    private static ByteString checksums(byte[] content) {
        return ByteString.copyFrom(BlockChecksums.of(ByteBuffer.wrap(content)));
    }
}
