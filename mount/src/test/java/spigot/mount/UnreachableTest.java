package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** What programs see when servers do not answer. */
@EnabledIf("spigot.mount.RealMounts#arePossible")
class UnreachableTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private TestGrid grid;
    private TestGrid.Node node;
    private Path file;
    private Path output;

    @BeforeEach
    void mount(@TempDir Path directory) throws Exception {
        Path source = Files.createDirectories(directory.resolve("source"));
        Programs.text(Programs.bash("cd \"$1\"; seq 1 100000 > numbers; mkdir below; touch below/a below/b", source));
        grid = new TestGrid(directory);
        node = grid.mount(grid.publish(source, "/data"));
        file = node.point.resolve("data/numbers");
        output = directory.resolve("output");
    }

    @AfterEach
    void unmount() throws Exception {
        node.files.letReadsGo();
        grid.close();
    }

    @Test
    void aReadThatNobodyCanAnswerIsAnInputOutputErrorAndSaysWhy() throws Exception {
        Programs.text(Programs.bash("stat \"$1\"", file));
        node.files.unreachable(true);
        Programs.Result read = Programs.bash("cat \"$1\"", file);
        assertThat(read.status()).isEqualTo(1);
        assertThat(read.text()).contains("Input/output error");
        assertThat(Programs.text(
                        Programs.bash("getfattr --absolute-names --only-values -n user.spigot.error \"$1\"", file)))
                .startsWith("OPEN: the home of ")
                .endsWith("it was cut off by the test");
        node.files.unreachable(false);
        assertThat(Programs.text(Programs.bash("tail -1 \"$1\"", file))).isEqualTo("100000\n");
    }

    @Test
    void aBlockedReaderCanBeKilledAtOnceAndOthersGoOn() throws Exception {
        node.files.holdReads();
        Process reader = Programs.start("bash", "exec cat \"$1\"", output, file);
        await().atMost(SOON).until(() -> node.files.waitingReads.get() > 0);
        assertThat(Programs.text(Programs.bash("ls \"$1\"", node.point.resolve("data/below"))))
                .isEqualTo("a\nb\n");
        long start = System.nanoTime();
        reader.destroyForcibly();
        assertThat(reader.waitFor(5, TimeUnit.SECONDS)).isTrue();
        assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start)).isLessThan(5);
        node.files.letReadsGo();
        assertThat(Programs.text(Programs.bash("tail -1 \"$1\"", file))).isEqualTo("100000\n");
    }

    @Test
    void theThreadOfADirectReadThatIsInterruptedEnds() throws Exception {
        node.files.holdReads();
        Process reader = Programs.start(
                "python3",
                "import os,sys,mmap; fd=os.open(sys.argv[1], os.O_RDONLY|os.O_DIRECT); os.preadv(fd,[mmap.mmap(-1,4096)],0)",
                output,
                file);
        await().atMost(SOON).until(() -> node.files.waitingReads.get() == 1);
        reader.destroy();
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        await().atMost(SOON).until(() -> node.files.waitingReads.get() == 0);
    }

    @Test
    void statfsAnswersAtOnceWhileTheCatalogIsCutOff() throws Exception {
        Programs.text(Programs.bash("df \"$1\"", node.point));
        node.cut(true);
        for (int i = 0; i < 20; i++) {
            long start = System.nanoTime();
            Programs.text(Programs.bash("df \"$1\"", node.point));
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)).isLessThan(3000);
        }
    }

    @Test
    void aDirectoryThatWasReadIsListedAtOnceWhileTheCatalogIsCutOff() throws Exception {
        String list = "ls -l \"$1/data\" \"$1/data/below\"";
        String before = Programs.text(Programs.bash(list, node.point));
        node.cut(true);
        long start = System.nanoTime();
        assertThat(Programs.text(Programs.bash(list, node.point))).isEqualTo(before);
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)).isLessThan(3000);
    }

    @Test
    void aNameThatIsNotKnownIsAnErrorWhenTheCatalogIsCutOffForTooLong() throws Exception {
        node.cut(true);
        Programs.Result result = Programs.bash("stat \"$1\"", node.point.resolve("elsewhere"));
        assertThat(result.text()).contains("Input/output error");
        node.cut(false);
        assertThat(Programs.bash("stat \"$1\"", node.point.resolve("elsewhere")).text())
                .contains("No such file");
    }

    @Test
    void anUnmountFreesBlockedReaders() throws Exception {
        node.files.holdReads();
        Process reader = Programs.start("bash", "exec cat \"$1\"", output, file);
        await().atMost(SOON).until(() -> node.files.waitingReads.get() > 0);
        node.mounted.unmount();
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Programs.text(Programs.bash("ls \"$1\"", node.point))).isEmpty();
    }
}
