package spigot.replica.commit;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/**
 * A process that commits with several threads, folds, and says what was acknowledged, until it is killed. Arguments: a directory
 * with the published files, and how many.
 */
final class KilledCommits {
    static final NodeId CLIENT = new NodeId(3, 4);
    static final CommitLimits LIMITS = new CommitLimits(256 << 10, 2 << 20, 1 << 20, 64, 1_000, 100, 20, 100);
    static final int BYTES = 1_000;
    static final int SLOTS = 50;

    private KilledCommits() {}

    static FileId id(int file) {
        return new FileId(0, file + 1L);
    }

    static Path published(Path directory, FileId file) {
        return directory.resolve("published-" + file.low());
    }

    static Commits open(Path directory) throws Exception {
        return Commits.open(
                new LinuxStore(directory.resolve("log")),
                file -> LinuxStore.openFile(published(directory, file)),
                LIMITS,
                FoldListener.NONE,
                () -> System.nanoTime() / 1_000_000);
    }

    static byte filling(int file, long number) {
        return (byte) (number * 7 + file);
    }

    static long offset(long number) {
        return number % SLOTS * BYTES;
    }

    static CommitRequest request(int file, long number) {
        byte[] bytes = new byte[BYTES];
        java.util.Arrays.fill(bytes, filling(file, number));
        OperationKey key = new OperationKey(CLIENT, file, number, Math.max(0, number - 100));
        return new CommitRequest(
                id(file), 1, null, Mutation.Write.of(offset(number), ByteBuffer.wrap(bytes)), number, key);
    }

    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        int files = Integer.parseInt(arguments[1]);
        Commits commits = open(directory);
        commits.start();
        try (ExecutorService threads =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().daemon().factory())) {
            List<Callable<Void>> writers = new ArrayList<>();
            for (int i = 0; i < files; i++) {
                int file = i;
                try (StoredFile published = LinuxStore.openFile(published(directory, id(file)))) {
                    commits.install(id(file), 1, new Version(1, 0), published.fingerprint());
                }
                writers.add(() -> {
                    for (long number = 1; ; number++) {
                        Committed answer = commits.commit(request(file, number));
                        System.out.println("acknowledged " + file + " " + number + " "
                                + answer.version().index() + " end");
                    }
                });
            }
            for (var ended : threads.invokeAll(writers)) {
                ended.get();
            }
        }
    }
}
