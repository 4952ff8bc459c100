package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.Fingerprint;
import spigot.model.Version;

/** One file with commits on a disk that can crash, without threads. */
final class CommitBench implements FoldListener {
    static final FileId FILE = new FileId(0, 1);
    static final Version FIRST = new Version(1, 0);
    static final CommitLimits LIMITS = new CommitLimits(4_096, 1 << 20, 1 << 20, 1_000, 10_000, 10, 0, 0);

    final Random random = new Random(1);
    final List<String> heard = new java.util.concurrent.CopyOnWriteArrayList<>();
    final Set<Guard> guards;
    CrashDisk disk = new CrashDisk(random);
    Commits commits;

    CommitBench(Set<Guard> guards, CommitLimits limits, String content) throws Exception {
        this.guards = guards;
        disk.put(CrashDisk.name(FILE), content.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        commits = open(limits);
        commits.install(FILE, 1, FIRST, fingerprint());
    }

    static Set<Guard> all() {
        return EnumSet.allOf(Guard.class);
    }

    static Set<Guard> without(Guard guard) {
        return EnumSet.complementOf(EnumSet.of(guard));
    }

    Commits open(CommitLimits limits) throws IOException {
        return new Commits(disk, disk.published(), limits, this, () -> System.nanoTime() / 1_000_000, guards, random);
    }

    void crash() throws IOException {
        disk = disk.afterCrash();
        commits.close();
        commits = open(LIMITS);
    }

    void restart() throws IOException {
        commits.close();
        commits = open(LIMITS);
    }

    Fingerprint fingerprint() throws IOException {
        try (StoredFile file = disk.open(CrashDisk.name(FILE))) {
            return file.fingerprint();
        }
    }

    static CommitRequest request(Mutation mutation, @Nullable OperationKey key) {
        return new CommitRequest(FILE, 1, null, mutation, 1_000, key);
    }

    static CommitRequest write(long offset, String text) {
        return request(
                Mutation.Write.of(offset, ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII))),
                null);
    }

    Committed commit(long offset, String text) throws Exception {
        return commits.commit(write(offset, text));
    }

    String read() throws IOException {
        ByteBuffer into = ByteBuffer.allocate(10_000);
        try (StoredFile file = disk.open(CrashDisk.name(FILE))) {
            commits.read(FILE, file, 0, into);
        }
        return new String(into.array(), 0, into.position(), java.nio.charset.StandardCharsets.US_ASCII);
    }

    String published() {
        byte[] bytes = disk.bytes(CrashDisk.name(FILE));
        try (StoredFile file = disk.open(CrashDisk.name(FILE))) {
            return new String(bytes, 0, (int) file.size(), java.nio.charset.StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    String lastSegment() {
        return disk.list().stream()
                .filter(name -> Segment.number(name) > 0)
                .reduce((_, next) -> next)
                .orElseThrow();
    }

    @Override
    public void changedBehind(FileId file, Fingerprint expected, Fingerprint found)
            throws IOException, InterruptedException {
        heard.add("changed " + commits.changedOutside(file, found));
    }

    @Override
    public void folded(FileView view, Fingerprint fingerprint) {
        heard.add("folded " + view.version());
    }

    @Override
    public void failed(FileId file, IOException failure) {
        heard.add("failed " + failure.getMessage());
    }
}
