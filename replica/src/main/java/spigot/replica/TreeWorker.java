package spigot.replica;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.Descriptor;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileStatus;
import spigot.linux.FileSystemStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.Fragments;
import spigot.model.RawBytes;
import spigot.model.ReplicaState;
import spigot.model.XattrKinds;
import spigot.transport.Messages;
import spigot.transport.wire.Registered;

/**
 * The life of one publication, on its own platform thread: opens the source, registers what differs, then follows changes until it
 * ends. What goes wrong is shown in the publication's state and tried again, but for a refusal by the catalog.
 */
final class TreeWorker implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(TreeWorker.class);
    private static final Duration WHOLE_RESCAN = Duration.ofMinutes(10);
    private static final byte[] DIRECTORY_ITSELF = {};

    private final PublishedTree tree;
    private final TreeScan.Parts parts;
    private final CatalogLease catalogLease;
    private final ReplicaConfiguration configuration;
    private final CompletableFuture<Void> registered = new CompletableFuture<>();
    private final Deque<FileId> toRescan = new ArrayDeque<>();
    private volatile ProgressListener progress;
    private long lastWholeScan;
    private long lastSlice;

    /** The source is not there, or not what was published. */
    private static final class SourceMissingException extends IOException {
        private static final long serialVersionUID = 1L;

        SourceMissingException(String message) {
            super(message);
        }
    }

    TreeWorker(
            PublishedTree tree,
            TreeScan.Parts parts,
            CatalogLease catalogLease,
            ReplicaConfiguration configuration,
            ProgressListener progress) {
        this.tree = tree;
        this.parts = parts;
        this.catalogLease = catalogLease;
        this.configuration = configuration;
        this.progress = progress;
    }

    PublishedTree tree() {
        return tree;
    }

    /** Done when all is registered for the first time; fails when the catalog or the source make it impossible before that. */
    CompletableFuture<Void> registered() {
        return registered;
    }

    void setProgress(ProgressListener listener) {
        progress = listener;
    }

    @Override
    public void run() {
        while (!tree.hasEnded()) {
            try {
                open();
                register();
                follow();
            } catch (InterruptedException e) {
                break;
            } catch (SourceMissingException e) {
                stop(PublicationState.MISSING, e);
            } catch (IOException | RuntimeException e) {
                stop(PublicationState.FAILED, e);
            }
            try {
                tree.pause(configuration.times().sourceCheck());
            } catch (InterruptedException e) {
                break;
            }
        }
        tree.setRoot(null, DIRECTORY_ITSELF);
        registered.completeExceptionally(
                new IOException("publication " + tree.publication().path() + " has ended"));
    }

    private void stop(PublicationState state, Exception cause) {
        String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        if (state != tree.state() || cause instanceof RuntimeException) {
            LOG.warn(
                    "publication {} path={} source={} reason=\"{}\"",
                    state.name().toLowerCase(java.util.Locale.ROOT),
                    tree.publication().path(),
                    tree.publication().source(),
                    message,
                    cause instanceof RuntimeException ? cause : null);
        }
        if (state == PublicationState.MISSING) {
            tree.setRoot(null, DIRECTORY_ITSELF);
        }
        tree.setState(state, message);
        if (cause instanceof IOException && !registered.isDone()) {
            registered.completeExceptionally(cause);
        }
    }

    // ---- the source

    private void open() throws IOException {
        byte[] source = tree.publication().source().toArray();
        FileStatus status;
        boolean file;
        try (Descriptor place = locateSource(source)) {
            status = Statx.of(place.number());
            file = !status.isDirectory();
            if (file && !status.isRegular()) {
                throw new IOException(tree.publication().source() + " is neither a directory nor a regular file");
            }
        } catch (SystemCallException e) {
            throw missing(e);
        }
        refuseEmptyMountPoint(source, status);
        int slash = lastSlash(source);
        byte[] directory = file ? Arrays.copyOfRange(source, 0, Math.max(1, slash)) : source;
        byte[] name = file ? Arrays.copyOfRange(source, slash + 1, source.length) : DIRECTORY_ITSELF;
        try {
            tree.setRoot(RootDirectory.open(directory), name);
        } catch (SystemCallException e) {
            throw missing(e);
        }
        measure();
    }

    private static Descriptor locateSource(byte[] source) throws SystemCallException {
        int slash = lastSlash(source);
        byte[] parent = Arrays.copyOfRange(source, 0, Math.max(1, slash));
        try (RootDirectory directory = RootDirectory.open(parent)) {
            return directory.locate(Arrays.copyOfRange(source, slash + 1, source.length));
        }
    }

    private SourceMissingException missing(SystemCallException cause) {
        SourceMissingException missing =
                new SourceMissingException("the source can't be opened: " + cause.getMessage());
        missing.initCause(cause);
        return missing;
    }

    /** A disk that is not mounted leaves an empty directory: taking that for the tree would withdraw all of it. */
    private void refuseEmptyMountPoint(byte[] source, FileStatus status) throws IOException {
        FileId root = tree.publication().root();
        IndexedFile row = root == null ? null : parts.index().file(root);
        if (row == null || !status.isDirectory() || row.inode() == status.inode()) {
            return;
        }
        try (RootDirectory directory = RootDirectory.open(source);
                Descriptor opened = directory.openDirectory(DIRECTORY_ITSELF)) {
            boolean empty = spigot.linux.DirectoryReader.names(opened.number(), "the source")
                    .isEmpty();
            if (empty && parts.index().entries(tree.number()) > 0) {
                throw new SourceMissingException(
                        "another directory, an empty one, is there now: is a file system not mounted?");
            }
        }
    }

    private void measure() throws IOException {
        Descriptor root = tree.root().descriptor();
        FileSystemStatus room = FileSystemStatus.of(root.number());
        tree.setCapacity(
                new PublishedTree.Capacity(Statx.of(root.number()).device(), room.totalBytes(), room.availableBytes()));
    }

    private static int lastSlash(byte[] path) {
        for (int i = path.length - 1; i > 0; i--) {
            if (path[i] == '/') {
                return i;
            }
        }
        return 0;
    }

    // ---- registering

    private void register() throws IOException, InterruptedException {
        tree.setState(PublicationState.SCANNING, "");
        catalogLease.await(configuration.times().patience());
        long confirmation = catalogLease.confirmation();
        boolean knownBefore = publish();
        Set<FileId> lost = knownBefore ? compareWithCatalog() : new HashSet<>();
        tree.confirm(confirmation);
        scan(lost);
        withdrawPending();
        tree.setState(PublicationState.SERVING, "");
        LOG.info(
                "published path={} source={} entries={} skipped={}",
                tree.publication().path(),
                tree.publication().source(),
                parts.index().entries(tree.number()),
                tree.skippedCount());
        registered.complete(null);
    }

    /** @return whether the index already had it, under the id that the catalog says */
    private boolean publish() throws IOException, InterruptedException {
        Publication publication = tree.publication();
        FileStatus status;
        Attributes attributes;
        try (Descriptor place = tree.locate(DIRECTORY_ITSELF)) {
            status = Statx.of(place.number());
            attributes = FileAttributes.of(status, XattrKinds.of(ExtendedAttributes.names(place)));
        }
        FileRecord record = parts.catalog()
                .publish(
                        publication.path(),
                        publication.replica(),
                        publication.readOnly(),
                        attributes,
                        publication.root());
        FileId before = publication.root();
        if (before != null && !before.equals(record.id())) {
            LOG.warn("the catalog has forgotten a publication, all is registered anew path={}", publication.path());
            parts.index().forget(publication.number());
        }
        tree.setPublication(publication.withRoot(record.id()));
        parts.index().save(tree.publication());
        boolean known = record.id().equals(before) && parts.index().file(record.id()) != null;
        if (!known) {
            parts.index().putRoot(root(record, status, attributes));
        }
        return known;
    }

    private IndexedFile root(FileRecord record, FileStatus status, Attributes attributes) {
        boolean home = attributes.isDirectory() || record.home().equals(configuration.server());
        return new IndexedFile(
                record.id(),
                tree.number(),
                status.device(),
                status.inode(),
                attributes,
                record.version(),
                home ? record.homeEpoch() : 0,
                record.fragmentBytes() == 0 ? Fragments.DEFAULT_BYTES : record.fragmentBytes(),
                home ? ReplicaState.HOME : ReplicaState.UNVERIFIED);
    }

    /** @return what the index has and the catalog has lost */
    private Set<FileId> compareWithCatalog() throws IOException, InterruptedException {
        Set<FileId> lost = new HashSet<>();
        parts.index().eachFile(tree.number(), file -> lost.add(file.id()));
        for (Registered served : parts.catalog().served(tree.rootId(), null)) {
            FileId id = Messages.fileId(served.getId());
            if (lost.remove(id)) {
                takeOver(id, served);
            }
        }
        lost.remove(tree.rootId());
        return lost;
    }

    private void takeOver(FileId id, Registered served) throws IOException {
        IndexedFile row = parts.index().file(id);
        if (row == null || row.attributes().isDirectory()) {
            return;
        }
        IndexedFile now = row.known(
                Messages.version(served.getVersion()),
                served.getHomeEpoch(),
                served.getFragmentBytes() == 0 ? row.fragmentBytes() : served.getFragmentBytes(),
                Messages.replicaState(served.getState()));
        if (!now.isHome()) {
            tree.noteCopies();
        }
        if (!now.equals(row)) {
            parts.index().update(now);
            ServedFile file = parts.files().inUse(id);
            if (file != null) {
                file.setRow(now);
            }
        }
    }

    private void scan(Set<FileId> lost) throws IOException, InterruptedException {
        TreeScan scan = new TreeScan(parts, tree, lost, progress);
        if (tree.isSingleFile()) {
            scan.singleFile();
        } else {
            scan.everything();
        }
        lastWholeScan = System.nanoTime();
    }

    /** Names that were on their way to the catalog in an earlier life, and were not found again. */
    private void withdrawPending() throws IOException, InterruptedException {
        List<IndexedName> pending = parts.index().pending(tree.number());
        List<RegistrationClient.Name> gone = new ArrayList<>();
        for (IndexedName name : pending) {
            if (parts.index().child(tree.number(), name.directory(), name.name()) == null) {
                gone.add(new RegistrationClient.Name(name.directory(), new FileName(name.name())));
            }
        }
        for (int from = 0; from < gone.size(); from += RegistrationClient.MAX_BATCH_ENTRIES) {
            parts.catalog()
                    .withdraw(
                            tree.rootId(),
                            gone.subList(from, Math.min(gone.size(), from + RegistrationClient.MAX_BATCH_ENTRIES)));
        }
        parts.index().clearPending(tree.number(), pending);
    }

    // ---- following changes

    private void follow() throws IOException, InterruptedException {
        long checked = System.nanoTime();
        while (!tree.hasEnded()) {
            PublishedTree.Work first = tree.await(shorter(configuration.times().sourceCheck()));
            PublishedTree.Work later = first;
            if (!first.isEmpty()) {
                tree.pause(configuration.times().coalesce());
                later = tree.take();
                look(first, later);
            }
            tree.looked(later);
            rescanSome();
            if (System.nanoTime() - checked
                    >= configuration.times().sourceCheck().toNanos()) {
                checked = System.nanoTime();
                if (!isSourceUnchanged()) {
                    return;
                }
                measure();
                if (!tree.isSingleFile()) {
                    parts.orphans().sweep(tree);
                }
            }
        }
    }

    private Duration shorter(Duration usual) {
        boolean rescans =
                tree.isSingleFile() || !parts.watcher().unwatched(tree).isEmpty();
        Duration rescan = configuration.times().rescan();
        return rescans && rescan.compareTo(usual) < 0 ? rescan : usual;
    }

    private void look(PublishedTree.Work first, PublishedTree.Work later) throws IOException, InterruptedException {
        if (first.rescan() || later.rescan()) {
            scan(new HashSet<>());
            return;
        }
        later.names()
                .forEach((directory, names) -> first.names()
                        .computeIfAbsent(directory, _ -> new HashSet<RawBytes>())
                        .addAll(names));
        new TreeScan(parts, tree, new HashSet<>(), ProgressListener.NONE).names(first.names());
    }

    /** A slice of the directories that the kernel does not watch; and now and then everything, for changes within files there. */
    private void rescanSome() throws IOException, InterruptedException {
        if (System.nanoTime() - lastSlice < configuration.times().rescan().toNanos()) {
            return;
        }
        lastSlice = System.nanoTime();
        if (tree.isSingleFile()) {
            new TreeScan(parts, tree, new HashSet<>(), ProgressListener.NONE).singleFile();
            return;
        }
        if (toRescan.isEmpty()) {
            toRescan.addAll(parts.watcher().unwatched(tree));
            if (!toRescan.isEmpty() && System.nanoTime() - lastWholeScan > WHOLE_RESCAN.toNanos()) {
                tree.rescan();
            }
        }
        List<FileId> changed = new ArrayList<>();
        for (int i = 0; i < configuration.bounds().rescanDirectories() && !toRescan.isEmpty(); i++) {
            FileId directory = toRescan.removeFirst();
            if (hasChanged(directory)) {
                changed.add(directory);
            }
        }
        if (!changed.isEmpty()) {
            new TreeScan(parts, tree, new HashSet<>(), ProgressListener.NONE).directories(changed);
        }
    }

    private boolean hasChanged(FileId directory) throws IOException {
        IndexedFile row = parts.index().file(directory);
        byte @Nullable [] path = row == null ? null : parts.index().path(directory, tree.rootId());
        if (row == null || path == null) {
            return false;
        }
        try (Descriptor located = tree.locate(path)) {
            FileStatus status = Statx.of(located.number());
            return status.inode() != row.inode()
                    || status.modifiedNanos() != row.attributes().modifiedNanos()
                    || status.changedNanos() != row.attributes().changedNanos();
        } catch (SystemCallException e) {
            tree.lookAt(directory);
            return false;
        }
    }

    /**
     * Something mounted over the source hides it from local programs only: it is open here, and goes on to be served. Taken for another
     * source it would be withdrawn, and come back with other ids.
     */
    private void tellHidden(boolean hidden) {
        String detail = hidden ? "another file system is mounted over the source; what it hides is served" : "";
        if (!detail.equals(tree.detail())) {
            LOG.warn(
                    "source {} path={} source={}",
                    hidden ? "hidden" : "in sight again",
                    tree.publication().path(),
                    tree.publication().source());
            tree.setState(tree.state(), detail);
        }
    }

    private boolean isSourceUnchanged() throws IOException {
        byte[] source = tree.publication().source().toArray();
        try (Descriptor place = locateSource(source)) {
            FileStatus now = Statx.of(place.number());
            if (tree.isSingleFile()) {
                return now.isRegular();
            }
            FileStatus open = tree.root().status();
            boolean same = now.inode() == open.inode() && now.device() == open.device();
            boolean hidden = !same && now.mountId() != open.mountId() && SpigotMounts.isMounted(open.mountId());
            tellHidden(hidden);
            return same || hidden;
        } catch (SystemCallException e) {
            return false;
        }
    }
}
