package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is answered from memory makes no garbage: counted by the JVM on the worker's thread. */
@Timeout(120)
class AllocationTest {
    private static final int REQUESTS = 15_000;
    private static final int MAX_ROUNDS = 20;

    private static final class Hits implements FileSystem {
        private static final byte[] NAME = "name".getBytes(StandardCharsets.US_ASCII);

        private final MemorySegment page = Arena.ofAuto().allocate(4096);
        volatile long worker;

        @Override
        public void lookup(LookupRequest request) {
            worker = Thread.currentThread().threadId();
            Entry entry = request.entry();
            if (request.name().contentEquals(NAME)) {
                entry.nodeId = 2;
                entry.attributes.inode = 2;
            }
            request.reply(entry);
        }

        @Override
        public void getattr(GetattrRequest request) {
            request.reply(request.attributes(), Entry.FOREVER);
        }

        @Override
        public void read(ReadRequest request) {
            request.append(page, 0, 1024).append(page, 1024, 3072).replyAppended();
        }
    }

    @Test
    void a_lookup_a_getattr_and_a_read_from_memory_allocate_nothing() throws Exception {
        Hits hits = new Hits();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[] lookup = FakeKernel.body(new byte[0], "name");
        ByteBuffer read = FakeKernel.body(Layout.READ_IN_BYTES).putInt(Layout.READ_IN_SIZE, 4096);
        try (FakeKernel kernel = new FakeKernel(hits, 1)) {
            kernel.ask(Opcode.LOOKUP.number(), 4, 1, lookup); // to learn which thread is the worker
            long unique = 10;
            long least = Long.MAX_VALUE;
            // Code that is not compiled yet makes some garbage by itself, so the best of some rounds counts.
            for (int round = 0; round < MAX_ROUNDS && least >= REQUESTS; round++) {
                long before = threads.getThreadAllocatedBytes(hits.worker);
                for (int i = 0; i < REQUESTS / 3; i++) {
                    kernel.ask(Opcode.LOOKUP.number(), unique++, 1, lookup);
                    kernel.ask(Opcode.GETATTR.number(), unique++, 2, new byte[Layout.GETATTR_IN_BYTES]);
                    kernel.ask(Opcode.READ.number(), unique++, 2, read.array());
                }
                least = Math.min(least, threads.getThreadAllocatedBytes(hits.worker) - before);
            }
            assertThat(least).as("bytes for " + REQUESTS + " requests").isLessThan(REQUESTS);
        }
    }
}
