import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.replica.commit.CommitLimits;
import spigot.replica.commit.CommitRequest;
import spigot.replica.commit.Commits;
import spigot.replica.commit.FoldListener;
import spigot.replica.commit.LinuxStore;
import spigot.replica.commit.Mutation;
import spigot.replica.commit.StoredFile;

/** Commits of 4 KiB at random offsets of one file, by 1 and 64 threads, against pwrite + fdatasync of the same by each thread. */
final class CommitBench {
    private static final FileId FILE = new FileId(0, 1);
    private static final int BYTES = 4096;
    private static final int BLOCKS = 16 << 10;

    private interface Work {
        void once(ByteBuffer block, long offset) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Path parent = Path.of(arguments.length > 0 ? arguments[0] : System.getProperty("java.io.tmpdir"));
        int seconds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
        Path directory = Files.createTempDirectory(parent, "spigot-commit-bench");
        try {
            Path file = directory.resolve("file");
            Files.write(file, new byte[0]);
            try (StoredFile plain = LinuxStore.openFile(file)) {
                for (long offset = 0; offset < (long) BLOCKS * BYTES; offset += 1 << 20) {
                    plain.write(ByteBuffer.allocateDirect(1 << 20), offset);
                }
                plain.syncAll();
                for (int threads : new int[] {1, 64}) {
                    double base = measure(threads, seconds, (block, offset) -> {
                        plain.write(block, offset);
                        plain.syncData();
                    });
                    commits(directory, file, plain, threads, seconds, base);
                }
            }
        } finally {
            try (var all = Files.walk(directory)) {
                all.sorted(java.util.Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
            }
        }
    }

    private static void commits(Path directory, Path file, StoredFile plain, int threads, int seconds, double base)
            throws Exception {
        try (Commits commits = Commits.open(
                new LinuxStore(directory.resolve("log-" + threads)),
                _ -> LinuxStore.openFile(file),
                CommitLimits.defaults(),
                FoldListener.NONE,
                () -> System.nanoTime() / 1_000_000)) {
            commits.install(FILE, 1, new Version(1, 0), plain.fingerprint());
            commits.start();
            double rate = measure(
                    threads,
                    seconds,
                    (block, offset) -> commits.commit(
                            new CommitRequest(FILE, 1, null, Mutation.Write.of(offset, block), 1, null)));
            System.out.printf(
                    "threads %2d: pwrite+fdatasync %,8.0f/s, commits %,8.0f/s, ratio %.2f, fdatasyncs a commit %.3f%n",
                    threads,
                    base,
                    rate,
                    rate / base,
                    (double) commits.figures().syncs() / commits.figures().records());
        }
    }

    private static double measure(int threads, int seconds, Work work) throws Exception {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        long begin = System.nanoTime();
        long sum = 0;
        try (var pool = Executors.newFixedThreadPool(threads)) {
            List<Callable<Long>> all = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                all.add(() -> {
                    ByteBuffer block = ByteBuffer.allocateDirect(BYTES);
                    long count = 0;
                    for (; System.nanoTime() < end; count++) {
                        work.once(block.clear(), (long) ThreadLocalRandom.current().nextInt(BLOCKS) * BYTES);
                    }
                    return count;
                });
            }
            for (Future<Long> one : pool.invokeAll(all)) {
                sum += one.get();
            }
        }
        return sum * 1e9 / (System.nanoTime() - begin);
    }
}
