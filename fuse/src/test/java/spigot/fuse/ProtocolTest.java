package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import spigot.linux.Errno;

/** Frames as the kernel sends them, and as it never would, without a kernel. */
@Timeout(300)
class ProtocolTest {
    private static final byte[] NOTHING = {};

    private static byte[] readBody(long offset, int size) {
        ByteBuffer body = FakeKernel.body(Layout.READ_IN_BYTES);
        body.putLong(Layout.READ_IN_OFFSET, offset);
        body.putInt(Layout.READ_IN_SIZE, size);
        return body.array();
    }

    @Test
    void an_entry_is_laid_out_as_the_header_says() throws Exception {
        MemoryFileSystem files = new MemoryFileSystem();
        MemoryNode node = files.addFile("f", new byte[5]);
        files.entryValidNanos = 1_500_000_000L;
        try (FakeKernel kernel = new FakeKernel(files, 1)) {
            FakeKernel.Answer answer = kernel.ask(Opcode.LOOKUP.number(), 10, 1, FakeKernel.body(NOTHING, "f"));
            assertThat(answer.error()).isZero();
            assertThat(answer.unique()).isEqualTo(10);
            assertThat(answer.payload()).hasSize(Layout.ENTRY_OUT_BYTES);
            ByteBuffer entry = answer.buffer();
            assertThat(entry.getLong(Layout.ENTRY_OUT_NODE)).isEqualTo(node.id);
            assertThat(entry.getLong(Layout.ENTRY_OUT_VALID)).isEqualTo(1);
            assertThat(entry.getInt(Layout.ENTRY_OUT_ATTR_VALID_NANOS)).isEqualTo(500_000_000);
            assertThat(entry.getLong(Layout.ENTRY_OUT_ATTR + Layout.ATTR_SIZE)).isEqualTo(5);
            assertThat(entry.getInt(Layout.ENTRY_OUT_ATTR + Layout.ATTR_MODE)).isEqualTo(0100644);
        }
    }

    @Test
    void forgetting_has_no_answer_and_counts_are_kept() throws Exception {
        MemoryFileSystem files = new MemoryFileSystem();
        MemoryNode node = files.addFile("f", new byte[5]);
        try (FakeKernel kernel = new FakeKernel(files, 1)) {
            for (int i = 0; i < 5; i++) {
                kernel.ask(Opcode.LOOKUP.number(), 10 + i, 1, FakeKernel.body(NOTHING, "f"));
            }
            ByteBuffer one = FakeKernel.body(Layout.FORGET_IN_BYTES).putLong(0, 2);
            kernel.send(Control.FORGET, 20, node.id, one.array());
            ByteBuffer many = FakeKernel.body(Layout.BATCH_FORGET_IN_BYTES + 2 * Layout.FORGET_ONE_BYTES);
            many.putInt(0, 2)
                    .putLong(8, node.id)
                    .putLong(16, 1)
                    .putLong(24, node.id)
                    .putLong(32, 1);
            kernel.send(Control.BATCH_FORGET, 21, 0, many.array());
            FakeKernel.Answer next = kernel.ask(Opcode.STATFS.number(), 22, 1, NOTHING);
            assertThat(next.unique()).isEqualTo(22);
            assertThat(files.locked(() -> node.lookups)).isEqualTo(1);
        }
    }

    @Test
    void an_answer_may_be_put_together_from_segments() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment first = arena.allocate(3000).fill((byte) 1);
            MemorySegment second = arena.allocate(3000).fill((byte) 2);
            FileSystem files = new FileSystem() {
                @Override
                public void read(ReadRequest request) {
                    switch ((int) request.offset()) {
                        case 0 ->
                            request.append(first, 10, 1000)
                                    .append(second, 20, 500)
                                    .replyAppended();
                        case 1 -> request.reply(second, 100, 700);
                        case 2 -> request.replyAppended();
                        default ->
                            request.handOver(later -> later.append(second, 0, 5)
                                    .append(first, 0, 6)
                                    .replyAppended());
                    }
                }
            };
            try (FakeKernel kernel = new FakeKernel(files, 1)) {
                byte[] mixed = kernel.ask(Opcode.READ.number(), 1, 2, readBody(0, 4096))
                        .payload();
                assertThat(mixed).hasSize(1500);
                assertThat(mixed[999]).isEqualTo((byte) 1);
                assertThat(mixed[1000]).isEqualTo((byte) 2);
                assertThat(kernel.ask(Opcode.READ.number(), 2, 2, readBody(1, 4096))
                                .payload())
                        .hasSize(700)
                        .containsOnly(2);
                assertThat(kernel.ask(Opcode.READ.number(), 3, 2, readBody(2, 4096))
                                .payload())
                        .isEmpty();
                assertThat(kernel.ask(Opcode.READ.number(), 4, 2, readBody(3, 4096))
                                .payload())
                        .containsExactly(2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1);
            }
        }
    }

    @Test
    void a_detached_request_keeps_its_contents_while_its_worker_serves_others() throws Exception {
        BlockingQueue<LookupRequest> kept = new LinkedBlockingQueue<>();
        FileSystem files = new FileSystem() {
            @Override
            public void lookup(LookupRequest request) {
                kept.add(request.detach());
            }
        };
        try (FakeKernel kernel = new FakeKernel(files, 1)) {
            kernel.send(Opcode.LOOKUP.number(), 100, 1, FakeKernel.body(NOTHING, "first"));
            kernel.send(Opcode.LOOKUP.number(), 102, 1, FakeKernel.body(NOTHING, "the second"));
            LookupRequest first = kept.take();
            LookupRequest second = kept.take();
            assertThat(kernel.ask(Opcode.STATFS.number(), 104, 1, NOTHING).unique())
                    .isEqualTo(104);
            assertThat(first.name()).hasToString("first");
            assertThat(second.name().contentEquals("the second".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                    .isTrue();
            assertThat(second.replyError(Errno.EACCES)).isTrue();
            assertThat(second.replyError(Errno.EIO)).as("a second answer").isFalse();
            assertThat(first.replyAbsent(7)).isTrue();
            assertThat(kernel.answer()).matches(a -> a.unique() == 102 && a.error() == Errno.EACCES);
            assertThat(kernel.answer()).matches(a -> a.unique() == 100 && a.error() == 0);
            assertThat(kernel.connection.pending().size()).isZero();
        }
    }

    @Test
    void an_interrupt_finds_a_request_that_was_detached_before_and_one_that_is_detached_after_it() throws Exception {
        BlockingQueue<LookupRequest> kept = new LinkedBlockingQueue<>();
        BlockingQueue<Thread> inside = new LinkedBlockingQueue<>();
        var proceed = new java.util.concurrent.Semaphore(0);
        FileSystem files = new FileSystem() {
            @Override
            public void lookup(LookupRequest request) {
                if (request.name().length() == 1) {
                    inside.add(Thread.currentThread());
                    proceed.acquireUninterruptibly();
                }
                kept.add(request.detach());
            }
        };
        try (FakeKernel kernel = new FakeKernel(files, 2)) {
            kernel.send(Opcode.LOOKUP.number(), 100, 1, FakeKernel.body(NOTHING, "before"));
            LookupRequest before = kept.take();
            before.onInterrupt(() -> before.replyError(Errno.EINTR));
            kernel.send(Control.INTERRUPT, 101, 0, interrupt(100));
            assertThat(kernel.answer()).matches(a -> a.unique() == 100 && a.error() == Errno.EINTR);

            kernel.send(Opcode.LOOKUP.number(), 200, 1, FakeKernel.body(NOTHING, "x"));
            inside.take();
            kernel.send(Control.INTERRUPT, 201, 0, interrupt(200)); // by the other worker, which remembers it
            assertThat(kernel.ask(Opcode.STATFS.number(), 202, 1, NOTHING).unique())
                    .isEqualTo(202);
            proceed.release();
            LookupRequest after = kept.take();
            assertThat(after.isInterrupted()).isTrue();
            after.onInterrupt(() -> after.replyError(Errno.EINTR));
            assertThat(kernel.answer()).matches(a -> a.unique() == 200 && a.error() == Errno.EINTR);

            assertThat(kernel.ask(Control.INTERRUPT, 301, 0, interrupt(300)))
                    .as("of a request that is not known (yet): to be said again")
                    .matches(a -> a.unique() == 301 && a.error() == Errno.EAGAIN);
        }
    }

    private static byte[] interrupt(long unique) {
        return FakeKernel.body(Layout.INTERRUPT_IN_BYTES).putLong(0, unique).array();
    }

    @Test
    void an_older_kernel_is_refused_with_a_clear_message() {
        assertThatThrownBy(() -> new FakeKernel(new MemoryFileSystem(), 1, 7, 23))
                .isInstanceOf(FuseException.class)
                .hasMessageContaining("7.23")
                .hasMessageContaining("use Linux");
    }

    @Test
    void unknown_and_unfit_requests_are_refused_each_with_its_number() throws Exception {
        try (FakeKernel kernel = new FakeKernel(new MemoryFileSystem(), 1)) {
            assertThat(kernel.ask(4096, 1, 1, NOTHING).error()).isEqualTo(Errno.ENOSYS);
            assertThat(kernel.ask(7, 2, 1, NOTHING).error()).isEqualTo(Errno.ENOSYS);
            assertThat(kernel.ask(-1, 3, 1, NOTHING).error()).isEqualTo(Errno.ENOSYS);
            assertThat(kernel.ask(Opcode.READ.number(), 4, 1, new byte[39]).error())
                    .isEqualTo(Errno.EINVAL);
            assertThat(kernel.ask(Opcode.LOOKUP.number(), 5, 1, new byte[] {'a'})
                            .error())
                    .as("a name without its end")
                    .isEqualTo(Errno.EINVAL);
            assertThat(kernel.ask(Opcode.LOOKUP.number(), 6, 1, new byte[] {0}).error())
                    .as("an empty name")
                    .isEqualTo(Errno.EINVAL);
            assertThat(kernel.ask(Opcode.RENAME.number(), 7, 1, FakeKernel.body(new byte[8], "only one"))
                            .error())
                    .isEqualTo(Errno.EINVAL);
            assertThat(kernel.ask(Opcode.READ.number(), 8, 1, readBody(0, FakeKernel.MAX_IO_BYTES + 1))
                            .error())
                    .as("more than was agreed on")
                    .isEqualTo(Errno.EINVAL);
            ByteBuffer write = FakeKernel.body(Layout.WRITE_IN_BYTES + 10).putInt(Layout.WRITE_IN_SIZE, 11);
            assertThat(kernel.ask(Opcode.WRITE.number(), 9, 1, write.array()).error())
                    .as("a size beyond the frame")
                    .isEqualTo(Errno.EINVAL);
            assertThat(kernel.connection.statistics().malformed()).isEqualTo(6);
        }
    }

    @Test
    void random_frames_never_end_a_worker_and_each_gets_at_most_one_answer() throws Exception {
        long seed = Long.getLong("spigot.seed", new Random().nextLong());
        System.out.println("spigot.seed=" + seed);
        Random random = new Random(seed);
        MemoryFileSystem files = new MemoryFileSystem();
        files.addFile("f", new byte[5000]);
        int rounds = Integer.getInteger("spigot.rounds", 40_000);
        try (FakeKernel kernel = new FakeKernel(files, 1)) {
            List<Long> answered = new ArrayList<>();
            for (int i = 0; i < rounds; i++) {
                long unique = 1000 + 2L * i;
                kernel.sendRaw(randomFrame(random, unique));
                long check = unique + 1;
                kernel.send(Opcode.STATFS.number(), check, 1, NOTHING);
                FakeKernel.Answer answer;
                while ((answer = kernel.answer()).unique() != check) {
                    answered.add(answer.unique());
                }
            }
            assertThat(answered).doesNotHaveDuplicates().hasSizeGreaterThan(rounds / 10);
            assertThat(kernel.connection.statistics().malformed()).isGreaterThan(rounds / 10);
            assertThat(kernel.connection.ended()).isNotDone();
        }
    }

    /** Half of them are right but for some bytes, half are noise. */
    private static byte[] randomFrame(Random random, long unique) {
        int length = random.nextInt(4) == 0 ? random.nextInt(40_000) : random.nextInt(200);
        byte[] body = new byte[length];
        if (random.nextBoolean()) {
            random.nextBytes(body);
        }
        int opcode = random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(56);
        long node = random.nextInt(5) == 0 ? random.nextLong() : random.nextInt(4);
        byte[] frame = FakeKernel.frame(opcode, unique, node, body);
        ByteBuffer header = ByteBuffer.wrap(frame).order(java.nio.ByteOrder.nativeOrder());
        if (random.nextInt(10) == 0) {
            header.putInt(Layout.IN_LENGTH, random.nextInt());
        }
        if (opcode == Control.INTERRUPT || opcode == Opcode.SETLKW.number()) { // they answer others, or never
            header.putInt(Layout.IN_OPCODE, Opcode.GETATTR.number());
        }
        return random.nextInt(10) == 0 ? java.util.Arrays.copyOf(frame, 1 + random.nextInt(frame.length)) : frame;
    }

    @Test
    void when_the_other_side_is_gone_the_workers_end_and_the_file_system_is_told() throws Exception {
        MemoryFileSystem files = new MemoryFileSystem();
        FakeKernel kernel = new FakeKernel(files, 3);
        assertThat(kernel.connection.ended()).isNotDone();
        kernel.close();
        await().until(() -> kernel.connection.ended().isDone());
        assertThat(files.destroyed).isTrue();
    }
}
