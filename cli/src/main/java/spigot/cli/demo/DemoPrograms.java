package spigot.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import spigot.node.NodeException;

/** The programs of the demo: each runs on the mount, measured, and on the original files, for comparison. */
final class DemoPrograms {
    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;

    /** One percent of the large file, in pages. */
    private static final int PAGES = SampleData.BIG_MIB * 256 / 100;

    private final Programs programs;
    private final DemoGrid grid;
    private final SampleData data;
    private final Path mount;

    DemoPrograms(Programs programs, DemoGrid grid, SampleData data, Path mount) {
        this.programs = programs;
        this.grid = grid;
        this.data = data;
        this.mount = mount;
    }

    List<Measured> run() throws NodeException, IOException, InterruptedException {
        long big = Files.size(data.directory().resolve("run7.dat"));
        long notes = sizeBelow(data.directory().resolve("notes"));
        long everything = sizeBelow(data.directory());
        List<Measured> rows = new ArrayList<>();
        rows.add(measure("ls -lR", 0, everything, "ls -lR --time-style=+ . | grep -v ^total"));
        rows.add(measure("dd: one page of run7.dat", 4 * KIB, big, dd(12_345, 1)));
        rows.add(measure(
                "dd: 8 MiB from the middle",
                8L * MIB,
                big,
                "dd if=run7.dat bs=1M skip=100 count=8 status=none | md5sum"));
        if (Programs.exists("python3")) {
            rows.add(measure("python3: 1 % of the pages, at random", PAGES * 4L * KIB, big, pythonPages()));
        } else {
            rows.add(measure("dd: 100 pages, at random", 100 * 4L * KIB, big, hundredPages()));
        }
        if (data.database()) {
            long database = Files.size(data.directory().resolve("samples.db"));
            rows.add(
                    measure(
                            "sqlite3: a query by index",
                            -1,
                            database,
                            "sqlite3 \"file:$PWD/samples.db?mode=ro\" 'select count(*), min(value), max(value) from sample where station = 77'"));
        }
        rows.add(measure("grep -r in 500 small files", notes, notes, "grep -rc calibrated notes | sort | md5sum"));
        rows.add(measure("md5sum of the whole run7.dat", big, big, "md5sum run7.dat"));
        rows.add(measure("md5sum again, from the cache", big, big, "md5sum run7.dat"));
        return rows;
    }

    /** @param asked -1: as the mount counts it */
    private Measured measure(String name, long asked, long whole, String script)
            throws NodeException, IOException, InterruptedException {
        JsonNode before = grid.stats(mount);
        Programs.Result there = programs.shell("cd '" + mount + "/data' && " + script);
        JsonNode after = grid.stats(mount);
        Programs.Result here = programs.shell("cd '" + data.directory() + "' && " + script);
        boolean same =
                there.exitCode() == 0 && here.exitCode() == 0 && there.output().equals(here.output());
        long read = asked >= 0 ? asked : difference(before, after, "read_bytes");
        return new Measured(name, read, difference(before, after, "data_bytes_received"), whole, there.nanos(), same);
    }

    private static long difference(JsonNode before, JsonNode after, String field) {
        return after.path(field).asLong() - before.path(field).asLong();
    }

    private static String dd(long page, int count) {
        return "dd if=run7.dat bs=4096 skip=" + page + " count=" + count + " status=none | md5sum";
    }

    private static String hundredPages() {
        SplittableRandom random = new SplittableRandom(7);
        StringBuilder script = new StringBuilder("{ ");
        for (int i = 0; i < 100; i++) {
            script.append("dd if=run7.dat bs=4096 count=1 status=none skip=")
                    .append(random.nextInt(SampleData.BIG_MIB * 256))
                    .append("; ");
        }
        return script.append("} | md5sum").toString();
    }

    private static String pythonPages() {
        return "python3 -c 'import os, random, hashlib; random.seed(7); f = os.open(\"run7.dat\", os.O_RDONLY);"
                + " h = hashlib.md5(); [h.update(os.pread(f, 4096, 4096 * random.randrange(" + SampleData.BIG_MIB * 256
                + "))) for _ in range(" + PAGES + ")]; print(h.hexdigest())'";
    }

    private static long sizeBelow(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }
}
