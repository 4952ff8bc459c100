package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import spigot.linux.Errno;

/**
 * A million frames that no kernel would send, in each build: they are put straight into the memory that a worker reads into, as it is the way
 * through a kernel that costs. {@link ProtocolTest} sends some of that kind through a real socket. Another number by
 * {@code -Dspigot.rounds}, the same frames again by {@code -Dspigot.seed}.
 */
@Timeout(300)
class FuzzTest {
    private static final int ROUNDS = Integer.getInteger("spigot.rounds", 1_000_000);
    private static final int MAX_IO_BYTES = 64 << 10;

    /** Every request is looked at from all sides and answered, one in eight of them later. */
    private static final class Looking implements InvocationHandler {
        private static final int LATER = 8;
        private static final byte[] VALUE = "value".getBytes(StandardCharsets.US_ASCII);
        private static final byte[] NAME = "name".getBytes(StandardCharsets.US_ASCII);

        private final MemorySegment page = Arena.ofAuto().allocate(4096);
        private final Map<Class<?>, List<Method>> questions = new HashMap<>();
        private final Queue<Request<?>> waiting = new ArrayDeque<>();
        private final Entry entry = new Entry();
        private int requests;
        int answers;

        /** The first that was thrown by a request that passed for well-formed: its caller gets EIO, but it should not be. */
        @Nullable
        Throwable failure;

        @Override
        public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Exception {
            if (arguments != null && arguments[0] instanceof Request<?> request) {
                try {
                    serve(request);
                } catch (Throwable e) {
                    failure = failure == null ? new AssertionError(request.toString(), e) : failure;
                    throw e;
                }
            }
            return null;
        }

        private void serve(Request<?> request) throws Exception {
            look(request);
            if (++requests % LATER != 0) {
                answer(request);
                return;
            }
            Request<?> later = request.detach();
            look(later);
            waiting.add(later);
            if (waiting.size() == LATER) {
                answer(waiting.remove());
            }
        }

        void answerAll() {
            waiting.forEach(this::answer);
            waiting.clear();
        }

        private void look(Request<?> request) throws Exception {
            for (Method question : questions.computeIfAbsent(request.getClass(), Looking::questionsTo)) {
                if (question.invoke(request) instanceof Name name) {
                    name.bytes();
                }
            }
            request.uid();
            request.gid();
            request.pid();
        }

        private static List<Method> questionsTo(Class<?> request) {
            List<Method> questions = new ArrayList<>();
            for (Method method : request.getDeclaredMethods()) {
                if (Modifier.isPublic(method.getModifiers())
                        && method.getParameterCount() == 0
                        && !method.getName().startsWith("reply")) {
                    questions.add(method);
                }
            }
            return questions;
        }

        private void answer(Request<?> request) {
            boolean taken = switch (request) {
                case CreateRequest create -> create.reply(filled(), 1, 0);
                case LookupRequest lookup -> lookup.reply(filled());
                case GetattrRequest getattr -> getattr.reply(getattr.attributes(), 0);
                case SetattrRequest setattr -> setattr.reply(setattr.attributes(), 0);
                case StatxRequest statx -> statx.reply(statx.attributes(), 0, 0, 0);
                case ReadRequest read -> read.reply(page, 0, Math.min(read.size(), 4096));
                case WriteRequest write -> write.reply(write.size());
                case GetxattrRequest getxattr -> getxattr.reply(VALUE);
                case ListxattrRequest listxattr -> listxattr.reply(VALUE);
                case ReadlinkRequest readlink -> readlink.reply(VALUE);
                case ReaddirRequest readdir -> readdir(readdir);
                case StatusRequest<?> status -> status.replyDone();
                default -> request.replyError(Errno.EOPNOTSUPP);
            };
            if (taken) {
                answers++;
            }
        }

        private Entry filled() {
            entry.clear().nodeId = 2;
            return entry;
        }

        private boolean readdir(ReaddirRequest request) {
            DirectoryWriter names = request.names();
            for (long i = 1; i < 100; i++) {
                boolean fits = i % 2 == 0 ? names.add(NAME, i, 0, i) : names.add(NAME, filled(), i);
                if (!fits) {
                    break;
                }
            }
            return request.reply();
        }
    }

    @Test
    void a_million_random_frames_end_no_worker_and_get_one_answer_each_within_their_budget() throws Exception {
        long seed = Long.getLong("spigot.seed", System.nanoTime());
        System.out.println("FuzzTest -Dspigot.seed=" + seed);
        Looking files = new Looking();
        FrameSource frames = new FrameSource(seed, ROUNDS, MAX_IO_BYTES, files::answerAll);
        Connection connection = Connection.open(
                List.of(frames), MountOptions.defaults().withWorkers(1).withMaxWriteBytes(MAX_IO_BYTES));
        FileSystem looking = (FileSystem)
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {FileSystem.class}, files);
        connection.serve(looking, 1, () -> {});
        assertThat(connection.ended().get(280, TimeUnit.SECONDS)).isEqualTo(FuseSession.End.UNMOUNTED);

        assertThat(files.failure).isNull();
        assertThat(frames.wrong()).isEmpty();
        assertThat(frames.unanswered()).as("requests without an answer").isZero();
        assertThat(connection.pending().size()).isZero();
        // The frames are worth something only if much of them is understood, and much is not.
        assertThat(files.answers).isGreaterThan(ROUNDS / 10);
        assertThat(connection.statistics().malformed()).isGreaterThan(ROUNDS / 20);
        // What large requests take along when they are detached comes back.
        assertThat(frames.mostNativeBytes()).isBetween(1L, 32L * (MAX_IO_BYTES + 8192));
    }
}
