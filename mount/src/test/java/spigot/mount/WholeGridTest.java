package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** The mount upon the real cache and the real servers. */
@EnabledIf("spigot.mount.RealMounts#arePossible")
class WholeGridTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    private Path directory;
    private Path source;
    private Path data;
    private WholeGrid grid;

    @BeforeEach
    void mount(@TempDir Path temporary) throws Exception {
        directory = temporary;
        source = Files.createDirectories(directory.resolve("source"));
        Programs.text(Programs.bash(
                "cd \"$1\"; mkdir sub; head -c 9000000 /dev/urandom > random; printf small > sub/small; ln sub/small sub/twin;"
                        + " truncate -s 1G sparse; setfattr -n user.color -v green random; ln -s sub/small link",
                source));
        grid = new WholeGrid(directory, source, "/data");
        data = grid.point.resolve("data");
    }

    @AfterEach
    void unmount() throws Exception {
        grid.close();
    }

    private String run(String script, Object... arguments) throws Exception {
        return Programs.text(Programs.bash(script, arguments));
    }

    @Test
    void allIsReadAsItIsAndNothingIsFetchedTwice() throws Exception {
        String sums =
                "cd \"$1\"; sha256sum random sub/small sub/twin link; stat -c '%n %s %b %h %A %Y' *; readlink link";
        assertThat(run(sums, data)).isEqualTo(run(sums, source));
        assertThat(run("getfattr --absolute-names --only-values -n user.color \"$1/random\"", data))
                .isEqualTo("green");
        long fetched = grid.files.statistics().dataBytesReceived();
        assertThat(fetched).isBetween(9_000_000L, 10_000_000L);
        run(sums, data);
        // With the kernel's pages gone the bytes still come from this node's memory.
        run("cd \"$1\"; dd if=random of=/dev/null bs=1M iflag=direct status=none", data);
        assertThat(grid.files.statistics().dataBytesReceived()).isEqualTo(fetched);
    }

    @Test
    void lookingMovesNoDataAndAReadMovesLittle() throws Exception {
        run("ls -lR \"$1\" > /dev/null; stat \"$1/sparse\" > /dev/null; exec 3< \"$1/sparse\"", data);
        assertThat(grid.files.statistics().dataBytesReceived()).isZero();
        run("dd if=\"$1/random\" of=/dev/null bs=4096 count=1 skip=700 iflag=direct status=none", data);
        assertThat(grid.files.statistics().dataBytesReceived()).isLessThanOrEqualTo(64 << 10);
    }

    @Test
    void aChangeBehindTheBackIsSeenByWhoOpensAndByWhoHasItOpen() throws Exception {
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        Process reader = Programs.start(
                "bash",
                "exec 3< \"$1/sub/small\"; cat <&3; echo; while [ ! -e \"$2\" ]; do sleep 0.05; done;"
                        + " python3 -c 'import os; print(os.pread(3, 100, 0).decode())'",
                output,
                data,
                go);
        await().atMost(SOON).until(() -> Files.readString(output).equals("small\n"));
        Files.writeString(source.resolve("sub/small"), "changed and longer");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(run("cat \"$1/sub/twin\"; stat -c %s \"$1/sub/small\"", data))
                        .isEqualTo("changed and longer18\n"));
        Files.createFile(go);
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output)).isEqualTo("small\nchanged and longer\n");
    }

    @Test
    void namesComeAndGoAsTheyDoAtTheSource() throws Exception {
        run("ls -l \"$1/sub\"; ! cat \"$1/sub/new\" 2> /dev/null", data);
        Files.writeString(source.resolve("sub/new"), "fresh");
        Files.delete(source.resolve("sub/twin"));
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(run("ls \"$1/sub\"; cat \"$1/sub/new\"", data))
                        .isEqualTo("new\nsmall\nfresh"));
    }

    @Test
    void aFileThatChangesUnderAStreamingReaderNeitherStallsItNorShowsMixedBlocks() throws Exception {
        Path file = source.resolve("grows");
        int size = 24 << 20;
        Files.write(file, "0".repeat(size).getBytes(StandardCharsets.US_ASCII));
        await().atMost(SOON).untilAsserted(() -> run("stat \"$1/grows\" > /dev/null", data));
        Path output = directory.resolve("output");
        Process reader = Programs.start("python3", """
                import os, sys, time
                fd = os.open(sys.argv[1], os.O_RDONLY)
                longest, last = 0, time.monotonic()
                for round in range(6):
                    for at in range(0, 24 << 20, 1 << 18):
                        got = os.pread(fd, 4096, at)
                        now = time.monotonic()
                        longest, last = max(longest, now - last), now
                        assert len(set(got)) == 1, 'a block of mixed versions'
                        if at == 0: print('round', flush=True)
                        time.sleep(0.002)
                print('longest', int(longest * 1000))
                """, output, data.resolve("grows"));
        await().atMost(SOON).until(() -> Files.readString(output).startsWith("round"));
        for (char digit = '1'; digit <= '3'; digit++) {
            byte[] next = String.valueOf(digit).repeat(size).getBytes(StandardCharsets.US_ASCII);
            Path made = Files.write(directory.resolve("next"), next);
            run("cat \"$1\" 1<> \"$2\" >&1", made, file);
            int rounds = 1 + digit - '0';
            await().atMost(SOON).until(() -> Files.readAllLines(output).size() >= rounds || !reader.isAlive());
        }
        assertThat(reader.waitFor(120, TimeUnit.SECONDS)).isTrue();
        String[] lines = Files.readString(output).strip().split("\n");
        assertThat(lines[lines.length - 1]).startsWith("longest ");
        System.out.println(lines[lines.length - 1] + " ms");
        assertThat(Integer.parseInt(lines[lines.length - 1].split(" ")[1])).isLessThan(20_000);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(run("head -c 1 \"$1/grows\"; tail -c 1 \"$1/grows\"", data))
                        .isEqualTo("33"));
    }
}
