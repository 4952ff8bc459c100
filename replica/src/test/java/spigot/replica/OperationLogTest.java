package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.replica.OperationLog.Begun;
import spigot.replica.OperationLog.Key;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

@DisplayName("The log of operations")
class OperationLogTest {
    private static final NodeId CLIENT = new NodeId(1, 2);

    @TempDir
    private Path directory;

    private static Key key(long number) {
        return new Key(CLIENT, 7, number);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static RawBytes raw(String text) {
        return RawBytes.ofUtf8(text);
    }

    private static void done(OperationLog log, Key key, String answer) throws Exception {
        assertThat(log.begin(key, 0)).isEqualTo(new Begun.New());
        log.intend(key, bytes("intent"));
        log.answer(key, bytes(answer));
    }

    @Test
    void keepsAnswersAndIntentsOverAStart() throws Exception {
        try (OperationLog log = new OperationLog(directory)) {
            done(log, key(1), "one");
            log.begin(key(2), 0);
            log.intend(key(2), bytes("two"));
            log.begin(key(3), 0);
            log.intend(key(3), bytes("three"));
            log.nothingDone(key(3));
            log.begin(key(4), 0);
        }
        try (OperationLog log = new OperationLog(directory)) {
            assertThat(log.begin(key(1), 0)).isEqualTo(new Begun.Answered(raw("one")));
            assertThat(log.begin(key(2), 0)).isEqualTo(new Begun.Again(raw("two")));
            assertThat(log.begin(key(3), 0)).isEqualTo(new Begun.New());
            assertThat(log.begin(key(4), 0)).isEqualTo(new Begun.New());
        }
    }

    @Test
    void forgetsWhatWasHeard() throws Exception {
        try (OperationLog log = new OperationLog(directory)) {
            done(log, key(1), "one");
            done(log, key(2), "two");
            log.begin(key(3), 2);
            assertThat(log.size()).isEqualTo(2);
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> log.begin(key(1), 0))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(Failure.Code.BAD_REQUEST));
            assertThat(log.begin(key(2), 0)).isEqualTo(new Begun.Answered(raw("two")));
        }
        try (OperationLog log = new OperationLog(directory)) {
            assertThatExceptionOfType(FailureException.class).isThrownBy(() -> log.begin(key(1), 0));
            assertThat(log.begin(key(2), 0)).isEqualTo(new Begun.Answered(raw("two")));
        }
    }

    @Test
    void endsAtWhatACrashLeftHalfWritten() throws Exception {
        try (OperationLog log = new OperationLog(directory)) {
            done(log, key(1), "one");
            done(log, key(2), "two");
        }
        Path file = directory.resolve("operations");
        byte[] all = Files.readAllBytes(file);
        for (int cut = all.length - 1; cut > all.length - 30; cut--) {
            Files.write(file, java.util.Arrays.copyOf(all, cut), StandardOpenOption.TRUNCATE_EXISTING);
            try (OperationLog log = new OperationLog(directory)) {
                assertThat(log.begin(key(1), 0)).isEqualTo(new Begun.Answered(raw("one")));
                assertThat(log.begin(key(2), 0)).isEqualTo(new Begun.Again(raw("intent")));
                log.answer(key(2), bytes("again"));
            }
        }
        try (OperationLog log = new OperationLog(directory)) {
            assertThat(log.begin(key(2), 0)).isEqualTo(new Begun.Answered(raw("again")));
        }
    }

    @Test
    void hasAllThatItSaidItHadAfterTheProcessWasKilled() throws Exception {
        List<String> said = sayUntilKilled();
        long last = Long.parseLong(said.getLast().substring("intent ".length()));
        try (OperationLog log = new OperationLog(directory)) {
            for (long number = Math.max(1, last - 100); number < last; number++) {
                assertThat(log.begin(new Key(KilledLog.CLIENT, 1, number), 0))
                        .isEqualTo(new Begun.Answered(raw("answer " + number)));
            }
            Begun unfinished = log.begin(new Key(KilledLog.CLIENT, 1, last), 0);
            if (said.getLast().startsWith("answer")) {
                assertThat(unfinished).isEqualTo(new Begun.Answered(raw("answer " + last)));
            } else {
                // It may have been answered, without that anybody heard of it.
                assertThat(unfinished).isIn(new Begun.Again(raw("intent")), new Begun.Answered(raw("answer " + last)));
            }
        }
    }

    private List<String> sayUntilKilled() throws Exception {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "-cp",
                        classPath,
                        KilledLog.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> said = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                said.add(line);
                if (said.size() == 401) {
                    // By its handle: the process itself would close the stream, too.
                    child.toHandle().destroyForcibly();
                }
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        assertThat(said.size()).isGreaterThan(400);
        // The last line may have been cut off in the middle.
        return said.subList(0, said.size() - 1);
    }

    @Test
    void letsACopyWaitForTheFirst() throws Exception {
        try (OperationLog log = new OperationLog(directory);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            log.begin(key(1), 0);
            log.intend(key(1), bytes("intent"));
            Future<Begun> copy = threads.submit(() -> log.begin(key(1), 0));
            log.answer(key(1), bytes("one"));
            assertThat(copy.get()).isEqualTo(new Begun.Answered(raw("one")));
        }
    }

    @Test
    void isBoundedForEachSession() throws Exception {
        try (OperationLog log = new OperationLog(directory)) {
            for (long number = 1; number <= OperationLog.MOST_OF_A_SESSION; number++) {
                log.begin(key(number), 0);
            }
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> log.begin(key(5_000), 0))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(Failure.Code.TOO_MANY));
            assertThat(log.begin(new Key(CLIENT, 8, 1), 0)).isEqualTo(new Begun.New());
        }
    }

    @Test
    void staysSmallAndLosesNothingWhileManyWriteAtOnce() throws Exception {
        int threadCount = 8;
        int each = 400;
        String long1 = "x".repeat(8_000);
        try (OperationLog log = new OperationLog(directory);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < threadCount; i++) {
                long session = i;
                all.add(threads.submit(() -> {
                    for (long number = 1; number <= each; number++) {
                        Key key = new Key(CLIENT, session, number);
                        log.begin(key, Math.max(0, number - 3));
                        log.intend(key, bytes("intent"));
                        log.answer(key, bytes(number + long1));
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
            assertThat(Files.size(directory.resolve("operations"))).isLessThan(16L << 20);
        }
        try (OperationLog log = new OperationLog(directory)) {
            for (int i = 0; i < threadCount; i++) {
                assertThat(log.begin(new Key(CLIENT, i, each), 0)).isEqualTo(new Begun.Answered(raw(each + long1)));
                assertThat(log.begin(new Key(CLIENT, i, each - 1), 0))
                        .isEqualTo(new Begun.Answered(raw((each - 1) + long1)));
            }
        }
    }
}
