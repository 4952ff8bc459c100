package spigot.cli.demo;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import spigot.node.NodeException;

/**
 * What the demo publishes: {@code run7.dat}, 256 MiB that can't be compressed, {@code notes/}, a tree of small text files, and
 * {@code samples.db}, a database of 60 MiB or so where sqlite3 is installed. The same each time.
 */
record SampleData(Path directory, boolean database) {
    static final int BIG_MIB = 256;
    static final int NOTE_DIRECTORIES = 20;
    static final int NOTES_EACH = 25;

    private static final long FREE_BYTES = 900L << 20;
    private static final long SEED = 20260731;

    static SampleData make(Path directory, Programs programs) throws NodeException, IOException, InterruptedException {
        Files.createDirectories(directory);
        if (Files.getFileStore(directory).getUsableSpace() < FREE_BYTES) {
            throw new NodeException("the demo needs 900 MiB of free space in " + directory.getParent()
                    + ": give it another place with TMPDIR");
        }
        SplittableRandom random = new SplittableRandom(SEED);
        try (OutputStream out = Files.newOutputStream(directory.resolve("run7.dat"))) {
            byte[] chunk = new byte[1 << 20];
            for (int i = 0; i < BIG_MIB; i++) {
                random.nextBytes(chunk);
                out.write(chunk);
            }
        }
        for (int d = 0; d < NOTE_DIRECTORIES; d++) {
            Path notes = Files.createDirectories(directory.resolve("notes/day" + d));
            for (int f = 0; f < NOTES_EACH; f++) {
                Files.writeString(notes.resolve("note" + f + ".txt"), note(random, d, f));
            }
        }
        boolean database = Programs.exists("sqlite3") && makeDatabase(directory.resolve("samples.db"), programs);
        return new SampleData(directory, database);
    }

    private static String note(SplittableRandom random, int day, int number) {
        StringBuilder text = new StringBuilder("Day " + day + ", note " + number + "\n");
        int lines = 20 + random.nextInt(60);
        for (int i = 0; i < lines; i++) {
            text.append("detector ")
                    .append(random.nextInt(64))
                    .append(" saw ")
                    .append(random.nextInt(100_000))
                    .append(" events\n");
        }
        return text.append(number == day ? "calibrated\n" : "").toString();
    }

    private static boolean makeDatabase(Path file, Programs programs)
            throws NodeException, IOException, InterruptedException {
        Programs.Result made =
                programs.shell("sqlite3 '" + file + "' \"pragma journal_mode=off; pragma synchronous=off;"
                        + " create table sample(id integer primary key, station integer, value text);"
                        + " insert into sample select value, value * 2654435761 % 5003, printf('%080d', value) from generate_series(1, 500000);"
                        + " create index by_station on sample(station);\"");
        return made.exitCode() == 0;
    }
}
