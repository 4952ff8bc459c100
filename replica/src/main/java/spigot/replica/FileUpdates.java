package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.Located;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.Descriptor;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileStatus;
import spigot.linux.Statx;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.session.LeaseGrantor;
import spigot.session.Recall;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * Looks at files and tells the catalog what has changed, before anybody is told by this server. A new version takes effect while
 * nobody holds a lease on the file. One change of a file happens at a time; others wait for it and look again. Safe for any thread;
 * blocks, holds no lock meanwhile.
 */
final class FileUpdates {
    private static final Logger LOG = LoggerFactory.getLogger(FileUpdates.class);
    private static final int ATTEMPTS = 20;

    private final NodeId self;
    private final RegistrationClient catalog;
    private final CatalogLease catalogLease;
    private final LeaseGrantor leases;
    private final PublicationIndex index;
    private final ServedFiles files;
    private final FileReader reader;
    private final IoPool io;
    private final WrittenFiles written;
    private final Consumer<FileId> compareAgain;
    private final Duration patience;

    /** How a difference is to be understood. */
    private enum Meaning {
        AS_SEEN,
        /** The file was found under another name. */
        RENAMED,
        /** The content is another one whatever the status says. */
        REWRITTEN,
        /** A single published file was replaced: it stays the same file of the grid. */
        REPLACED
    }

    private interface Look {
        Seen now() throws IOException, InterruptedException;
    }

    private record Seen(FileStatus status, XattrKinds xattrs) {}

    /** What a {@code FileUpdates} works with. */
    record Parts(
            NodeId self,
            RegistrationClient catalog,
            CatalogLease catalogLease,
            LeaseGrantor leases,
            PublicationIndex index,
            ServedFiles files,
            FileReader reader,
            IoPool io,
            WrittenFiles written) {}

    /** @param compareAgain told of further copies whose content has changed */
    FileUpdates(Parts parts, Consumer<FileId> compareAgain, Duration patience) {
        this.self = parts.self();
        this.catalog = parts.catalog();
        this.catalogLease = parts.catalogLease();
        this.leases = parts.leases();
        this.index = parts.index();
        this.files = parts.files();
        this.reader = parts.reader();
        this.io = parts.io();
        this.written = parts.written();
        this.compareAgain = compareAgain;
        this.patience = patience;
    }

    /**
     * Looks at the file, at the name too, and tells the catalog what is new.
     *
     * @return what the file is now
     * @throws FailureException NOT_FOUND when it is gone, NOT_HOME when another server is its home by now
     */
    IndexedFile bringUpToDate(ServedFile file) throws IOException, InterruptedException {
        if (file.isPublishedRoot()) {
            takeReplacement(file);
        }
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            FileStatus status = io.run(() -> look(file));
            FileChange change = FileChange.between(published(file), status);
            if (change == FileChange.NONE) {
                return file.row();
            }
            if (!file.isNamed()) {
                // Nobody can ask for it by name any more. Losing its last name has moved its change time.
                if (change.isSameContent()) {
                    return file.row();
                }
                throw new FailureException(
                        Failure.Code.VERSION_GONE, "file " + file.id() + " was changed after it lost its name");
            }
            change(file, Meaning.AS_SEEN, () -> io.run(() -> lookClosely(file)));
        }
        throw new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage("file " + file.id() + " changes all the time: its attributes could not be read")
                .setRetryAfterMillis(100)
                .build());
    }

    /**
     * Asks the catalog when it is not certain.
     *
     * @throws FailureException NOT_HOME
     */
    void requireHome(ServedFile file) throws IOException, InterruptedException {
        boolean confirmed = file.isConfirmed(catalogLease.confirmation());
        if (!confirmed || !file.row().isHome()) {
            try {
                confirm(file);
            } catch (FailureException e) {
                // The catalog has forgotten a file whose last name is gone; who looked it up before may still read it,
                // here.
                boolean heldOpen = e.code() == Failure.Code.NOT_FOUND
                        && file.isOpen()
                        && file.row().isHome();
                if (!heldOpen) {
                    throw e;
                }
            }
        }
        if (!file.row().isHome()) {
            throw new FailureException(
                    Failure.Code.NOT_HOME,
                    "this server is not the home of file " + file.id() + ": ask the catalog again");
        }
    }

    /** What the published file should be like, as far as this server has made it. */
    IndexedFile published(IndexedFile row) {
        return written.published(row);
    }

    private IndexedFile published(ServedFile file) {
        return file.isWritten() ? written.published(file.row()) : file.row();
    }

    /** An entry was looked at by its name in an open directory and differs from what is known. */
    void found(ServedFile file, Descriptor directory, byte[] name, boolean renamed)
            throws IOException, InterruptedException {
        change(
                file,
                renamed ? Meaning.RENAMED : Meaning.AS_SEEN,
                () -> new Seen(
                        Statx.at(directory.number(), name), XattrKinds.of(ExtendedAttributes.names(directory, name))));
    }

    /** A single published file that was replaced by another one stays the same file of the grid. */
    private void takeReplacement(ServedFile file) throws IOException, InterruptedException {
        FileChange change =
                io.run(() -> FileChange.between(file.row(), lookByName(file).status()));
        if (change == FileChange.OTHER_FILE) {
            change(file, Meaning.REPLACED, () -> io.run(() -> lookByName(file)));
            files.close(file);
        }
    }

    private Seen lookByName(ServedFile file) throws IOException {
        try (Descriptor located = files.locate(file)) {
            FileStatus status = Statx.of(located.number());
            if (!status.isRegular()) {
                throw new FailureException(
                        Failure.Code.NOT_FOUND, "the published file was replaced by something that is no file");
            }
            return new Seen(status, XattrKinds.of(ExtendedAttributes.names(located)));
        }
    }

    /** Once the file is quiet: was what has been served since its last change the whole truth? */
    void settle(ServedFile file, ByteBuffer buffer) throws IOException, InterruptedException {
        UnsettledReads reads = file.unsettled();
        if (reads == null || file.isWritten()) {
            return;
        }
        boolean stillTrue;
        try (SharedDescriptor descriptor = files.descriptor(file)) {
            FileStatus before = Statx.of(descriptor.number());
            if (reader.isUnsettled(before)
                    || !FileChange.between(file.row(), before).isSameContent()) {
                return;
            }
            stillTrue = reads.stillTrue(descriptor.number(), before.size(), buffer);
        }
        if (stillTrue) {
            file.settle();
        } else if (file.isNamed()) {
            LOG.info("reads overlapped a write file={} : new version", file.id());
            change(file, Meaning.REWRITTEN, () -> lookClosely(file));
        }
    }

    /** Asks the catalog what this server is to the file now. */
    void confirm(ServedFile file) throws IOException, InterruptedException {
        long confirmation = catalogLease.confirmation();
        Located located = catalog.located(file.id());
        FileRecord record = located.record();
        IndexedFile row = file.row();
        if (record.home().equals(self)) {
            boolean taken = !row.isHome();
            boolean otherContent = taken && !row.version().equals(record.version());
            setRow(file, row.known(record.version(), record.homeEpoch(), record.fragmentBytes(), ReplicaState.HOME));
            if (taken) {
                LOG.info("became home file={} epoch={}", file.id(), record.homeEpoch());
            }
            if (otherContent) {
                change(file, Meaning.REWRITTEN, () -> io.run(() -> lookClosely(file)));
            }
        } else {
            file.tree().noteCopies();
            ReplicaState state = ReplicaState.UNVERIFIED;
            Version version = row.version();
            for (Replica replica : located.replicas()) {
                if (replica.server().equals(self)) {
                    state = replica.state();
                    version = replica.version();
                }
            }
            if (row.state() != ReplicaState.DIFFERS || state == ReplicaState.VERIFIED) {
                setRow(file, row.known(version, 0, record.fragmentBytes(), state));
            }
        }
        file.confirm(confirmation);
    }

    /**
     * A further copy has been compared.
     *
     * @param compared what it was then
     * @return false when it has changed since: the outcome says nothing
     */
    boolean takeOutcome(ServedFile file, IndexedFile compared, FileRecord with, ReplicaState state)
            throws IOException, InterruptedException {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> other = file.beginChange(mine);
        if (other != null) {
            await(other, file);
            return false;
        }
        try {
            if (!file.row().equals(compared)) {
                return false;
            }
            setRow(file, compared.known(with.version(), 0, with.fragmentBytes(), state));
            return true;
        } finally {
            file.endChange(mine);
        }
    }

    /** Work on a file that tells the catalog by itself what it changes. */
    interface Exclusive<T> {
        T run() throws IOException, InterruptedException;
    }

    /** Runs it while nobody else changes the file, or takes what it does for a change behind the back. */
    <T> T exclusively(ServedFile file, Exclusive<T> work) throws IOException, InterruptedException {
        try (Turn _ = turn(file)) {
            return work.run();
        }
    }

    /** As long as it is open nobody else changes the file. */
    @FunctionalInterface
    interface Turn extends AutoCloseable {
        @Override
        void close();
    }

    Turn turn(ServedFile file) throws IOException, InterruptedException {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        for (CompletableFuture<Void> other = file.beginChange(mine); other != null; other = file.beginChange(mine)) {
            await(other, file);
        }
        return () -> file.endChange(mine);
    }

    /** What an operation has made of the file, and the catalog knows; to be called {@link #exclusively}. */
    void took(ServedFile file, IndexedFile row, boolean content) throws IOException {
        setRow(file, row);
        if (content) {
            file.settle();
        }
    }

    /** Whether something is to be done about the file; a name that leads elsewhere is noted. On the caller's thread. */
    boolean hasChanged(ServedFile file) throws IOException {
        if (file.isFolding()) {
            return false;
        }
        FileChange change = FileChange.between(published(file), look(file));
        return change != FileChange.NONE && (file.isNamed() || !change.isSameContent());
    }

    // ---- one change

    private void change(ServedFile file, Meaning meaning, Look look) throws IOException, InterruptedException {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> other = file.beginChange(mine);
        if (other != null) {
            await(other, file);
            return;
        }
        try {
            if (file.isWritten() && meaning == Meaning.REPLACED) {
                written.giveUp(file);
            }
            if (file.isWritten()) {
                boolean known = written.tell(file);
                LOG.trace("event=written_file_looked_at file={} known={}", file.id(), known);
                return;
            }
            Seen seen = look.now();
            IndexedFile row = file.row();
            FileChange change = understand(row, seen.status(), meaning);
            switch (change) {
                case NONE -> {}
                case ATTRIBUTES -> apply(file, seen, false);
                case CONTENT -> {
                    if (row.isHome()) {
                        try (Recall _ = leases.recall(List.of(file.id()), patience)) {
                            apply(file, seen, true);
                        }
                    } else {
                        apply(file, seen, true);
                    }
                }
                case OTHER_FILE -> file.tree().lookAt(file.id());
            }
        } finally {
            file.endChange(mine);
        }
    }

    private static FileChange understand(IndexedFile row, FileStatus status, Meaning meaning) {
        return switch (meaning) {
            case AS_SEEN -> FileChange.between(row, status);
            case RENAMED -> FileChange.betweenRenamed(row, status);
            case REWRITTEN, REPLACED -> FileChange.CONTENT;
        };
    }

    private void apply(ServedFile file, Seen seen, boolean content) throws IOException, InterruptedException {
        IndexedFile row = file.row();
        Attributes attributes = FileAttributes.of(seen.status(), seen.xattrs());
        if (row.isHome()) {
            FileRecord record = tell(file, attributes, content);
            setRow(
                    file,
                    file.row()
                            .seen(seen.status(), attributes)
                            .known(record.version(), record.homeEpoch(), record.fragmentBytes(), ReplicaState.HOME));
        } else if (content) {
            catalog.replicaStates(List.of(new RegistrationClient.Comparison(
                    file.id(), ReplicaState.UNVERIFIED, row.version(), "changed at its server")));
            setRow(file, row.seen(seen.status(), attributes).compared(row.version(), ReplicaState.UNVERIFIED));
            compareAgain.accept(file.id());
        } else {
            setRow(file, row.seen(seen.status(), attributes));
        }
        if (content) {
            file.settle();
            LOG.debug(
                    "content changed file={} version={}", file.id(), file.row().version());
        }
    }

    private FileRecord tell(ServedFile file, Attributes attributes, boolean content)
            throws IOException, InterruptedException {
        try {
            return catalog.update(
                    file.id(),
                    attributes,
                    content,
                    file.row().homeEpoch(),
                    file.row().version());
        } catch (FailureException e) {
            if (e.code() != Failure.Code.NOT_HOME) {
                throw e;
            }
            confirm(file);
            if (!file.row().isHome()) {
                throw e;
            }
            return catalog.update(
                    file.id(),
                    attributes,
                    content,
                    file.row().homeEpoch(),
                    file.row().version());
        }
    }

    private void setRow(ServedFile file, IndexedFile row) throws IOException {
        if (!row.equals(file.row())) {
            index.update(row);
            file.setRow(row);
        }
    }

    private void await(CompletableFuture<Void> other, ServedFile file) throws IOException, InterruptedException {
        try {
            other.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a change never ends with an exception", e);
        } catch (TimeoutException e) {
            throw new FailureException(Failure.newBuilder()
                    .setCode(Failure.Code.NOT_READY)
                    .setMessage("a change of file " + file.id() + " did not end within " + patience.toMillis() + " ms")
                    .setRetryAfterMillis(500)
                    .build());
        }
    }

    // ---- looking, on an I/O thread

    private FileStatus look(ServedFile file) throws IOException {
        try (SharedDescriptor descriptor = files.descriptor(file)) {
            FileStatus status = Statx.of(descriptor.number());
            if (file.isNamed()) {
                checkName(file, status);
            }
            return status;
        }
    }

    private Seen lookClosely(ServedFile file) throws IOException {
        try (SharedDescriptor descriptor = files.descriptor(file)) {
            return new Seen(
                    Statx.of(descriptor.number()), XattrKinds.of(ExtendedAttributes.names(descriptor.descriptor())));
        }
    }

    /** Has the publication look at the name if it does not lead to the open file any more. */
    private void checkName(ServedFile file, FileStatus open) throws IOException {
        byte[] path = index.path(file.id(), file.tree().rootId());
        if (path == null) {
            return;
        }
        @Nullable FileStatus named;
        try (Descriptor located = file.tree().locate(path)) {
            named = Statx.of(located.number());
        } catch (spigot.linux.SystemCallException e) {
            named = null;
        }
        if (named == null || named.inode() != open.inode() || named.device() != open.device()) {
            file.tree().lookAt(file.id());
        }
    }
}
