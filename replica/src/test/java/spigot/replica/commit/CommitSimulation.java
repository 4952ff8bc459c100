package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/**
 * A random program of commits, reads, foldings and power cuts from one seed, in one thread, against arrays of bytes. Commits come in
 * the middle of foldings as well, and reads in the middle of everything.
 */
final class CommitSimulation {
    private static final NodeId CLIENT = new NodeId(5, 6);
    private static final long SESSION = 9;
    private static final int MOST_BYTES = 6_000;
    private static final int UNHEARD = 24;
    private static final CommitLimits LIMITS = new CommitLimits(4_096, 4L << 20, 4L << 20, 20_000, 100_000, 10, 0, 0);

    private final Random random;
    private final Set<Guard> guards;
    private final List<ModelFile> files = new ArrayList<>();
    private final List<Operation> operations = new ArrayList<>();
    private CrashDisk disk;
    private Commits commits;
    private boolean inHook;
    private int crashes;
    private int reports;
    int folds;

    private static final class ModelFile {
        final FileId id;
        final List<State> states = new ArrayList<>();
        long epoch = 1;

        ModelFile(FileId id) {
            this.id = id;
        }

        State last() {
            return states.getLast();
        }
    }

    /** What a file is after a commit. */
    private record State(Version version, byte[] bytes, CompletableFuture<Committed> answer) {}

    private static final class Operation {
        final ModelFile file;
        final Mutation mutation;
        final OperationKey key;
        State state;

        Operation(ModelFile file, Mutation mutation, OperationKey key, State state) {
            this.file = file;
            this.mutation = mutation;
            this.key = key;
            this.state = state;
        }
    }

    CommitSimulation(long seed, Set<Guard> guards) throws Exception {
        random = new Random(seed);
        this.guards = EnumSet.copyOf(guards);
        disk = new CrashDisk(random);
        commits = open();
        for (int i = 1; i <= 3; i++) {
            ModelFile file = new ModelFile(new FileId(0, i));
            byte[] content = bytes(random.nextInt(MOST_BYTES / 2));
            disk.put(CrashDisk.name(file.id), content);
            file.states.add(new State(
                    new Version(1, 0), content, CompletableFuture.completedFuture(new Committed(Version.NONE, 0))));
            try (StoredFile published = disk.open(CrashDisk.name(file.id))) {
                commits.install(file.id, 1, new Version(1, 0), published.fingerprint());
            }
            files.add(file);
        }
    }

    private Commits open() throws IOException {
        Commits opened = new Commits(
                disk,
                disk.published(),
                LIMITS,
                new FoldListener() {
                    @Override
                    public void changedBehind(
                            FileId file, spigot.model.Fingerprint expected, spigot.model.Fingerprint found) {
                        reports++;
                    }

                    @Override
                    public void folded(FileView view, spigot.model.Fingerprint fingerprint) {
                        folds++;
                    }

                    @Override
                    public void failed(FileId file, IOException failure) {}
                },
                () -> 0,
                guards,
                random);
        disk.hook(this::hook);
        return opened;
    }

    private byte[] bytes(int count) {
        byte[] result = new byte[count];
        random.nextBytes(result);
        return result;
    }

    private ModelFile anyFile() {
        return files.get(random.nextInt(files.size()));
    }

    // ---- the program

    void run(int steps) throws Exception {
        for (int step = 0; step < steps; step++) {
            try {
                step();
            } catch (IOException e) {
                if (!disk.isCut()) {
                    throw e;
                }
            }
            if (disk.isCut()) {
                crash(true);
            }
        }
        disk.cutAfter(Long.MAX_VALUE);
        disk.hook(null);
        commits.flush();
        commits.foldAll();
        files.forEach(this::readAll);
        for (ModelFile file : files) {
            byte[] published = new byte[visible(file).bytes().length];
            try (StoredFile from = disk.open(CrashDisk.name(file.id))) {
                assertThat(from.size()).isEqualTo(published.length);
                from.read(ByteBuffer.wrap(published), 0);
            }
            assertThat(published)
                    .as("published %s", file.id)
                    .isEqualTo(visible(file).bytes());
        }
        assertThat(crashes > 0 || reports == 0).as("no change behind the back").isTrue();
        commits.close();
    }

    private void step() throws Exception {
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4, 5, 6 -> submit(anyFile());
            case 7, 8, 9 -> commits.flush();
            case 10, 11, 12 -> read(anyFile());
            case 13 -> fold();
            case 14 -> changedSince(anyFile());
            case 15 -> repeat();
            case 16 -> refused(anyFile());
            case 17 -> {
                if (random.nextInt(4) == 0) {
                    newEpoch(anyFile());
                }
            }
            case 18 -> disk.cutAfter(random.nextInt(30));
            default -> {
                switch (random.nextInt(6)) {
                    case 0, 1 -> crash(true);
                    case 2 -> crash(false);
                    default -> {}
                }
            }
        }
    }

    /** In the middle of an operation of the disk: anybody may read, and while a file is folded also write. */
    private void hook(String operation, String file) throws IOException {
        boolean folding = file.startsWith("file-") && !operation.equals("read") && !operation.equals("open");
        boolean syncing = operation.equals("sync");
        if (inHook || !(folding || syncing) || random.nextInt(4) != 0 || files.size() < 3) {
            return;
        }
        inHook = true;
        try {
            read(anyFile());
            if (folding) {
                submit(anyFile());
                if (random.nextBoolean()) {
                    commits.flush();
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            inHook = false;
        }
    }

    private void fold() throws IOException, InterruptedException {
        if (random.nextBoolean()) {
            commits.foldNext();
        } else {
            commits.foldAll();
        }
    }

    private void submit(ModelFile file) throws IOException, InterruptedException {
        long number = operations.size() + 1L;
        OperationKey key = new OperationKey(CLIENT, SESSION, number, Math.max(0, number - UNHEARD));
        Version expected = random.nextInt(4) == 0 ? file.last().version() : null;
        submit(file, mutation(file.last().bytes().length), key, expected);
    }

    private void submit(
            ModelFile file, Mutation mutation, OperationKey key, @org.jspecify.annotations.Nullable Version expected)
            throws IOException, InterruptedException {
        State before = file.last();
        Version version = new Version(file.epoch, before.version().index() + 1);
        State possible = new State(version, applied(before.bytes(), mutation), new CompletableFuture<>());
        Operation operation = new Operation(file, mutation, key, possible);
        file.states.add(possible);
        operations.add(operation);
        CompletableFuture<Committed> answer = commits.submit(
                new CommitRequest(file.id, file.epoch, expected, mutation, 1_000_000 + key.number(), key));
        State actual = new State(version, possible.bytes(), answer);
        file.states.set(file.states.indexOf(possible), actual);
        operation.state = actual;
    }

    private Mutation mutation(int size) {
        int offset = random.nextInt(size + 200);
        int length = random.nextInt(1, random.nextBoolean() ? 40 : 1_500);
        return switch (random.nextInt(8)) {
            case 0 -> size < MOST_BYTES ? new Mutation.Append(ByteBuffer.wrap(bytes(length))) : new Mutation.Resize(10);
            case 1 -> new Mutation.Resize(random.nextInt(MOST_BYTES));
            case 2 -> new Mutation.Resize(random.nextInt(size + 1));
            case 3 -> new Mutation.Punch(offset, length);
            case 4 -> new Mutation.Zero(offset, length);
            case 5 ->
                new Mutation.Write(List.of(
                        new Mutation.Piece(offset, ByteBuffer.wrap(bytes(length))),
                        new Mutation.Piece(random.nextInt(size + 200), ByteBuffer.wrap(bytes(20)))));
            default -> Mutation.Write.of(offset, ByteBuffer.wrap(bytes(length)));
        };
    }

    private static byte[] applied(byte[] before, Mutation mutation) {
        return switch (mutation) {
            case Mutation.Write write -> {
                byte[] now = before;
                for (Mutation.Piece piece : write.pieces()) {
                    now = written(now, (int) piece.offset(), piece.bytes().array());
                }
                yield now;
            }
            case Mutation.Append append ->
                written(before, before.length, append.bytes().array());
            case Mutation.Resize resize -> Arrays.copyOf(before, (int) resize.size());
            case Mutation.Punch punch -> {
                byte[] now = before.clone();
                int end = (int) Math.min(now.length, punch.offset() + punch.length());
                if (punch.offset() < end) {
                    Arrays.fill(now, (int) punch.offset(), end, (byte) 0);
                }
                yield now;
            }
            case Mutation.Zero zero -> written(before, (int) zero.offset(), new byte[(int) zero.length()]);
        };
    }

    private static byte[] written(byte[] before, int offset, byte[] bytes) {
        byte[] now = Arrays.copyOf(before, Math.max(before.length, offset + bytes.length));
        System.arraycopy(bytes, 0, now, offset, bytes.length);
        return now;
    }

    // ---- what must hold

    private static State visible(ModelFile file) {
        for (int i = file.states.size() - 1; i >= 0; i--) {
            CompletableFuture<Committed> answer = file.states.get(i).answer();
            if (answer.isDone() && !answer.isCompletedExceptionally()) {
                return file.states.get(i);
            }
        }
        throw new IllegalStateException("the first state is visible");
    }

    private void readAll(ModelFile file) {
        try {
            read(file, 0, MOST_BYTES * 2);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void read(ModelFile file) throws IOException {
        read(file, random.nextInt(MOST_BYTES), random.nextInt(1, 2_000));
    }

    private void read(ModelFile file, int offset, int length) throws IOException {
        State expected = visible(file);
        ByteBuffer into = ByteBuffer.allocate(length);
        FileView view;
        try (StoredFile published = disk.open(CrashDisk.name(file.id))) {
            view = commits.read(file.id, published, offset, into);
        }
        assertThat(view.version()).as("version of %s", file.id).isEqualTo(expected.version());
        int from = Math.min(offset, expected.bytes().length);
        int end = Math.min(offset + length, expected.bytes().length);
        assertThat(Arrays.copyOf(into.array(), into.position()))
                .as("bytes of %s from %s", file.id, offset)
                .isEqualTo(Arrays.copyOfRange(expected.bytes(), from, end));
    }

    private void changedSince(ModelFile file) throws IOException {
        State now = visible(file);
        State older = file.states.get(random.nextInt(file.states.indexOf(now) + 1));
        if (commits.changedSince(file.id, older.version()) instanceof ChangedRanges.Only only) {
            int same = Math.min(now.bytes().length, older.bytes().length);
            for (int i = 0; i < same; i++) {
                long at = i;
                boolean changed = only.ranges().stream().anyMatch(range -> range.offset() <= at && at < range.end());
                assertThat(changed || now.bytes()[i] == older.bytes()[i])
                        .as("byte %s of %s since %s is the same", i, file.id, older.version())
                        .isTrue();
            }
        }
    }

    /** Asks again for something that was asked for, and may be under way. */
    private void repeat() throws Exception {
        if (operations.isEmpty()) {
            return;
        }
        Operation operation =
                operations.get(operations.size() - 1 - random.nextInt(Math.min(UNHEARD - 4, operations.size())));
        CompletableFuture<Committed> answer = commits.submit(
                new CommitRequest(operation.file.id, operation.file.epoch, null, operation.mutation, 0, operation.key));
        commits.flush();
        assertThat(answer.get())
                .as("the answer to %s", operation.key.number())
                .isEqualTo(new Committed(operation.state.version(), operation.state.bytes().length));
    }

    private void refused(ModelFile file) {
        Mutation mutation = Mutation.Write.of(0, ByteBuffer.wrap(bytes(10)));
        if (random.nextBoolean() && file.epoch > 1) {
            assertThatExceptionOfType(CommitRefusedException.class)
                    .isThrownBy(
                            () -> commits.submit(new CommitRequest(file.id, file.epoch - 1, null, mutation, 0, null)))
                    .matches(e -> e.reason() == CommitRefusedException.Reason.OLDER_EPOCH);
        } else {
            Version other = new Version(file.epoch, file.last().version().index() + 5);
            assertThatExceptionOfType(CommitRefusedException.class)
                    .isThrownBy(() -> commits.submit(new CommitRequest(file.id, file.epoch, other, mutation, 0, null)))
                    .matches(e -> e.reason() == CommitRefusedException.Reason.OTHER_VERSION);
        }
    }

    private void newEpoch(ModelFile file) throws IOException, InterruptedException {
        commits.install(
                file.id,
                file.epoch + 1,
                file.last().version(),
                commits.view(file.id).fingerprint());
        file.epoch++;
    }

    // ---- crashes

    /** @param power else only the process ends, and what it wrote stays in the page cache */
    private void crash(boolean power) throws Exception {
        crashes++;
        List<Integer> acknowledged = new ArrayList<>();
        for (ModelFile file : files) {
            acknowledged.add(file.states.indexOf(visible(file)));
        }
        disk.hook(null);
        disk = power ? disk.afterCrash() : disk;
        commits.close();
        commits = open();
        disk.hook(null);
        for (int i = 0; i < files.size(); i++) {
            recovered(files.get(i), acknowledged.get(i));
        }
        boolean lost = false;
        List<Operation> again = new ArrayList<>();
        for (Operation operation : operations) {
            boolean there = operation.file.states.contains(operation.state);
            assertThat(there && lost).as("what is there has no gap before it").isFalse();
            lost = !there;
            if (lost) {
                again.add(operation);
            }
        }
        operations.removeAll(again);
        files.forEach(this::readAll);
        for (Operation operation : again) {
            submit(operation.file, operation.mutation, operation.key, null);
        }
        commits.flush();
        disk.hook(this::hook);
    }

    private void recovered(ModelFile file, int acknowledged) throws IOException {
        FileView view = commits.view(file.id);
        assertThat(view.epoch()).as("epoch of %s", file.id).isGreaterThanOrEqualTo(file.epoch);
        file.epoch = view.epoch();
        int found = -1;
        for (int i = 0; i < file.states.size(); i++) {
            if (file.states.get(i).version().equals(view.version())) {
                found = i;
            }
        }
        assertThat(found).as("version %s of %s", view.version(), file.id).isGreaterThanOrEqualTo(acknowledged);
        while (file.states.size() > found + 1) {
            file.states.removeLast();
        }
        for (Operation operation : operations) {
            if (operation.file == file) {
                int at = indexOfVersion(file, operation);
                if (at >= 0) {
                    State state = operation.state;
                    State durable = new State(
                            state.version(),
                            state.bytes(),
                            CompletableFuture.completedFuture(new Committed(state.version(), state.bytes().length)));
                    file.states.set(at, durable);
                    operation.state = durable;
                }
            }
        }
    }

    private static int indexOfVersion(ModelFile file, Operation operation) {
        for (int i = 0; i < file.states.size(); i++) {
            if (file.states.get(i) == operation.state) {
                return i;
            }
        }
        return -1;
    }
}
