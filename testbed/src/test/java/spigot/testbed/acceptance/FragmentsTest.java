package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Only what is touched travels. The file has 100 GiB; two stretches of it hold data, the rest is a hole. */
@DisplayName("Of a file of 100 GiB")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FragmentsTest {
    private static final long GIB = 1L << 30;
    private static final int MIB = 1 << 20;
    private static final long SEQUENTIAL_AT = 30 * GIB;
    private static final int SEQUENTIAL_MIB = 256;

    @TempDir
    static Path directory;

    private static TestGrid grid;
    private static TestGrid.Mount mount;
    private static Path source;

    @BeforeAll
    static void publishTheFile() throws Exception {
        Path tree = Files.createDirectory(directory.resolve("source"));
        source = tree.resolve("huge");
        Random random = new Random(11);
        byte[] chunk = new byte[MIB];
        try (RandomAccessFile file = new RandomAccessFile(source.toFile(), "rw")) {
            file.setLength(100 * GIB);
            for (int i = 0; i < SEQUENTIAL_MIB; i++) {
                random.nextBytes(chunk);
                file.seek(SEQUENTIAL_AT + (long) i * MIB);
                file.write(chunk);
            }
            // 1,000 pages, each with data all around it, so that what a random read moves is not hidden by holes.
            for (int i = 0; i < 1000; i++) {
                random.nextBytes(chunk);
                file.seek(randomPage(i) & -(128L << 10));
                file.write(chunk, 0, 256 << 10);
            }
        }
        grid = new TestGrid(directory);
        grid.found("a", "--publish", tree + "=/data:ro");
        mount = grid.mount("m");
    }

    /** Pages far from each other, from 40 to 90 GiB, never near a neighbour. */
    private static long randomPage(int i) {
        long slot = 40 * GIB + i * (50 * GIB / 1000);
        return (slot + (i * 7919L % 4000) * 4096) & -4096L;
    }

    @AfterAll
    static void end() {
        if (grid != null) {
            grid.close();
        }
    }

    private static long received() throws Exception {
        return mount.stat("data_bytes_received");
    }

    @Test
    @Order(1)
    void lsStatAndOpenMoveNoData() throws Exception {
        Path huge = mount.path("data/huge");
        assertThat(Command.of("stat", "-c", "%s", huge.toString())
                        .run()
                        .orFail()
                        .output()
                        .strip())
                .isEqualTo(Long.toString(100 * GIB));
        Command.of("ls", "-l", huge.toString()).run().orFail();
        Command.shell("exec 3<" + huge).run().orFail();
        assertThat(received()).isZero();
    }

    @Test
    @Order(2)
    void oneReadOf4KiBMovesAtMost64KiB() throws Exception {
        long before = received();
        Command.of(
                        "dd",
                        "if=" + mount.path("data/huge"),
                        "of=/dev/null",
                        "bs=4096",
                        "count=1",
                        "skip=" + (SEQUENTIAL_AT / 4096 + 12345),
                        "status=none")
                .run()
                .orFail();
        assertThat(received() - before).isBetween(4096L, 64L << 10);
    }

    @Test
    @Order(3)
    void aThousandRandomReadsMoveAtMostSixteenTimesWhatWasAsked() throws Exception {
        long before = received();
        try (RandomAccessFile mounted =
                        new RandomAccessFile(mount.path("data/huge").toFile(), "r");
                RandomAccessFile local = new RandomAccessFile(source.toFile(), "r")) {
            byte[] here = new byte[4096];
            byte[] there = new byte[4096];
            for (int i = 0; i < 1000; i++) {
                int at = (i * 387) % 1000;
                mounted.seek(randomPage(at));
                mounted.readFully(there);
                local.seek(randomPage(at));
                local.readFully(here);
                assertThat(there).isEqualTo(here);
            }
        }
        assertThat(received() - before).isBetween(1000L * 4096, 16L * 1000 * 4096);
    }

    @Test
    @Order(4)
    void aSequentialReadOf256MiBMovesAtMostTwoPercentMore() throws Exception {
        long before = received();
        long skip = SEQUENTIAL_AT / MIB;
        Command.shell("for f in " + source + " " + mount.path("data/huge") + "; do dd if=$f bs=1M skip=" + skip
                        + " count=" + SEQUENTIAL_MIB + " status=none | sha256sum; done | uniq | wc -l | grep -qx 1")
                .run()
                .orFail();
        assertThat(received() - before)
                .isBetween((long) (SEQUENTIAL_MIB - 1) * MIB, (long) (1.02 * SEQUENTIAL_MIB * MIB));
    }

    @Test
    @Order(5)
    void holesAreFoundByLseekAndReadAsZerosWithoutMovingData() throws Exception {
        long before = received();
        Command.of(
                        "python3",
                        "-c",
                        "import os; f=os.open('" + mount.path("data/huge") + "',os.O_RDONLY);"
                                + "assert os.lseek(f,0,os.SEEK_DATA)==" + SEQUENTIAL_AT + ";"
                                + "assert os.lseek(f," + SEQUENTIAL_AT + ",os.SEEK_HOLE)=="
                                + (SEQUENTIAL_AT + (long) SEQUENTIAL_MIB * MIB) + ";"
                                + "assert os.pread(f,1<<20,1<<30)==bytes(1<<20)")
                .run()
                .orFail();
        assertThat(received() - before).isZero();
    }

    @Test
    @Order(6)
    void whatWasReadIsReadAgainWithoutTheNetworkAfterARemount() throws Exception {
        TestGrid.Mount second = grid.mount("second");
        String read = "dd if=%s bs=1M skip=" + SEQUENTIAL_AT / MIB + " count=64 status=none | sha256sum";
        String once = Command.shell(read.formatted(second.path("data/huge")))
                .run()
                .orFail()
                .output();
        assertThat(second.stat("data_bytes_received")).isGreaterThanOrEqualTo(64L * MIB);
        second.unmount();
        second.start();
        String again = Command.shell(read.formatted(second.path("data/huge")))
                .run()
                .orFail()
                .output();
        assertThat(again).isEqualTo(once);
        assertThat(second.stat("data_bytes_received")).isZero();
        assertThat(second.stat("cache_hits")).isPositive();
    }
}
