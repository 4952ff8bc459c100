package spigot.replica;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.Access;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryReader;
import spigot.linux.Errno;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;
import spigot.linux.SymbolicLinks;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.RawBytes;
import spigot.model.XattrKinds;
import spigot.transport.FailureException;

/**
 * Compares a published tree, or some of its directories and names, with the index and tells the catalog the differences: first all
 * that is new, level by level, so that parents come before their children and batches are full; then what is gone. So a file
 * that was renamed within the tree keeps its id. For one thread, used once. Memory: the ids of the directories still to be visited,
 * the names of one directory, and the names that are gone.
 */
final class TreeScan {
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final long BUSY_NANOS = 1_000_000_000L;
    private static final int PROGRESS_EVERY = 1000;
    private static final byte[] NO_TARGET = {};

    /** An operation does not take longer: it gives up before. */
    static final Duration TURN = Duration.ofMinutes(2);

    private final Parts parts;
    private final PublishedTree tree;
    private final SpigotMounts mounts;
    private final Set<FileId> lost;
    private final ProgressListener progress;
    private final RegistrationBatch batch;
    private final Deque<Visit> toVisit = new ArrayDeque<>();
    private final List<Gone> gone = new ArrayList<>();
    private final Set<FileId> visited = new HashSet<>();
    private final Set<FileId> restored = new HashSet<>();
    private boolean whole;

    /** Of the turns of the tree's directories, before the directory that is looked at was. */
    private long stamp;

    private long seen;

    /** What scans work with. */
    record Parts(
            PublicationIndex index,
            RegistrationClient catalog,
            ServedFiles files,
            FileUpdates updates,
            DirectoryWatcher watcher,
            Orphans orphans) {}

    /** A directory to be visited: known, or in the batch that waits. */
    private record Visit(@Nullable FileId known, RegistrationBatch.@Nullable Entry added) {}

    /** A name that was looked for in vain, when the turns had this stamp. */
    private record Gone(IndexedName name, long stamp) {}

    /** @param lost files of the index that the catalog has lost: they are registered again under their ids */
    TreeScan(Parts parts, PublishedTree tree, Set<FileId> lost, ProgressListener progress) throws IOException {
        this.parts = parts;
        this.tree = tree;
        this.lost = lost;
        this.progress = progress;
        this.mounts = SpigotMounts.now();
        this.batch = new RegistrationBatch(parts.index(), parts.catalog(), parts.files(), tree);
    }

    /** Looks at everything. */
    void everything() throws IOException, InterruptedException {
        whole = true;
        tree.forgetSkipped();
        toVisit.add(new Visit(tree.rootId(), null));
        finish();
    }

    /** Looks at names of directories; an empty name stands for the directory's own attributes. New directories are looked at wholly. */
    void names(Map<FileId, Set<RawBytes>> names) throws IOException, InterruptedException {
        for (Map.Entry<FileId, Set<RawBytes>> directory : names.entrySet()) {
            someNames(directory.getKey(), directory.getValue());
        }
        finish();
    }

    /** Looks at all names of these directories, not at the directories below. */
    void directories(Collection<FileId> some) throws IOException, InterruptedException {
        for (FileId directory : some) {
            visit(directory);
        }
        finish();
    }

    private void finish() throws IOException, InterruptedException {
        try {
            while (!toVisit.isEmpty()) {
                Visit next = toVisit.removeFirst();
                RegistrationBatch.Entry added = next.added();
                if (added != null && !added.isAnswered()) {
                    batch.flush();
                }
                FileId id = added == null ? next.known() : added.id();
                if (id != null && visited.add(id)) {
                    visit(id);
                }
                if (tree.hasEnded()) {
                    throw new InterruptedException("the publication has ended");
                }
            }
            batch.flush();
        } finally {
            batch.abandon();
        }
        withdraw(gone);
        report();
    }

    // ---- directories

    private void visit(FileId directory) throws IOException, InterruptedException {
        stamp = tree.turns().stamp();
        byte[] path = parts.index().path(directory, tree.rootId());
        if (path == null) {
            return;
        }
        try (Descriptor opened = open(directory, path)) {
            if (opened == null) {
                return;
            }
            // In this order: what changes from here on shows as an event, or in the directory's times later.
            parts.watcher().watch(tree, directory, opened);
            FileStatus status = Statx.of(opened.number());
            List<byte[]> names =
                    DirectoryReader.names(opened.number(), RawBytes.copyOf(path).toString());
            names.sort(Arrays::compareUnsigned);
            compare(directory, path, opened, names);
            ownAttributes(directory, opened, status);
        } catch (SystemCallException e) {
            tree.skip(path, e.errno(), Errno.describe(e.errno()));
        }
    }

    private @Nullable Descriptor open(FileId directory, byte[] path) throws IOException {
        try {
            return tree.root().openDirectory(path);
        } catch (SystemCallException e) {
            if (!TreeErrors.isAbsence(e.errno())) {
                tree.skip(path, e.errno(), Errno.describe(e.errno()));
            } else if (!directory.equals(tree.rootId())) {
                tree.lookAt(directory);
            }
            return null;
        }
    }

    /** Both in the order of their bytes. */
    private void compare(FileId directory, byte[] path, Descriptor opened, List<byte[]> names)
            throws IOException, InterruptedException {
        List<IndexedName> known = parts.index().children(tree.number(), directory);
        int next = 0;
        for (byte[] name : names) {
            RawBytes there = RawBytes.copyOf(name);
            while (next < known.size() && known.get(next).name().compareTo(there) < 0) {
                gone.add(new Gone(known.get(next++), stamp));
            }
            boolean isKnown = next < known.size() && known.get(next).name().equals(there);
            entry(directory, path, opened, name, isKnown ? known.get(next++).id() : null);
        }
        while (next < known.size()) {
            gone.add(new Gone(known.get(next++), stamp));
        }
    }

    private void someNames(FileId directory, Set<RawBytes> names) throws IOException, InterruptedException {
        stamp = tree.turns().stamp();
        byte[] path = parts.index().path(directory, tree.rootId());
        if (path == null) {
            return;
        }
        if (tree.isSingleFile()) {
            singleFile();
            return;
        }
        try (Descriptor opened = open(directory, path)) {
            if (opened == null) {
                return;
            }
            FileStatus status = Statx.of(opened.number());
            IndexedFile row = parts.index().file(directory);
            if (row != null && (row.inode() != status.inode() || row.device() != status.device())) {
                // Never looked into, or another directory by now: some names are not enough.
                toVisit.add(new Visit(directory, null));
                return;
            }
            for (RawBytes name : names) {
                if (!name.isEmpty()) {
                    byte[] raw = name.toArray();
                    entry(directory, path, opened, raw, parts.index().child(tree.number(), directory, name));
                }
            }
            ownAttributes(directory, opened, status);
        }
    }

    /** Its row has its inode only from here on: so a directory that was registered but not looked into is known. */
    private void ownAttributes(FileId directory, Descriptor opened, FileStatus status)
            throws IOException, InterruptedException {
        try (DirectoryTurns.Turn _ = tree.turns().enter(Set.of(directory), TURN)) {
            if (tree.turns().changedSince(directory, stamp)) {
                tree.lookAtDirectory(directory);
            } else {
                tellAttributes(directory, opened, status);
            }
        }
    }

    private void tellAttributes(FileId directory, Descriptor opened, FileStatus status)
            throws IOException, InterruptedException {
        IndexedFile row = parts.index().file(directory);
        if (row == null) {
            return;
        }
        boolean look = row.attributes().changedNanos() != status.changedNanos()
                || !row.attributes().xattrs().isKnown();
        XattrKinds xattrs = look
                ? XattrKinds.of(ExtendedAttributes.names(opened))
                : row.attributes().xattrs();
        Attributes attributes = FileAttributes.of(status, xattrs);
        boolean differs = FileAttributes.differ(row.attributes(), attributes);
        // The attributes of the directories of a further copy are those that the first publisher says.
        if (differs && !tree.publication().replica()) {
            parts.catalog().update(directory, attributes, false, row.homeEpoch(), row.version());
        }
        if (differs || row.inode() != status.inode() || row.device() != status.device()) {
            parts.index().update(row.seen(status, attributes));
        }
    }

    // ---- entries

    private void entry(FileId directory, byte[] path, Descriptor opened, byte[] name, @Nullable FileId known)
            throws IOException, InterruptedException {
        byte[] shown = PublishedTree.join(path, name);
        if (++seen % PROGRESS_EVERY == 0) {
            report();
        }
        FileStatus status;
        try {
            status = Statx.at(opened.number(), name);
        } catch (SystemCallException e) {
            if (!TreeErrors.isAbsence(e.errno())) {
                tree.skip(shown, e.errno(), Errno.describe(e.errno()));
            } else if (known != null) {
                gone.add(new Gone(new IndexedName(directory, RawBytes.copyOf(name), known), stamp));
            }
            return;
        }
        IndexedFile row = known == null ? null : parts.index().file(known);
        if (isLeftOut(opened, name, shown, status)) {
            if (row != null && row.attributes().isDirectory() != status.isDirectory()) {
                gone.add(new Gone(new IndexedName(directory, RawBytes.copyOf(name), row.id()), stamp));
            }
            return;
        }
        if (row == null) {
            add(directory, opened, name, shown, status, null, null);
        } else if (lost.contains(row.id()) && restored.add(row.id())) {
            add(directory, opened, name, shown, status, row.id(), null);
        } else if (row.attributes().isDirectory() != status.isDirectory()) {
            batch.flush();
            withdraw(List.of(new Gone(new IndexedName(directory, RawBytes.copyOf(name), row.id()), stamp)));
            add(directory, opened, name, shown, status, null, null);
        } else if (status.isDirectory()) {
            knownDirectory(row, status);
        } else {
            knownFile(directory, opened, name, shown, status, row);
        }
    }

    private void knownDirectory(IndexedFile row, FileStatus status) {
        if (whole) {
            toVisit.add(new Visit(row.id(), null));
        } else if (row.inode() != status.inode() || row.device() != status.device()) {
            toVisit.add(new Visit(row.id(), null));
            if (row.inode() != IndexedFile.NOT_LOOKED_INTO) {
                // Another directory took the name: all below may be different.
                tree.rescan();
            }
        } else if (FileAttributes.differ(
                row.attributes(), FileAttributes.of(status, row.attributes().xattrs()))) {
            tree.lookAtDirectory(row.id());
        }
    }

    private void knownFile(
            FileId directory, Descriptor opened, byte[] name, byte[] shown, FileStatus status, IndexedFile row)
            throws IOException, InterruptedException {
        IndexedFile known = sameAfterRestart(parts.updates().published(row), status);
        FileChange change = FileChange.between(known, status);
        switch (change) {
            case NONE -> {}
            case ATTRIBUTES, CONTENT -> {
                if (!whole && isBusy(known)) {
                    tree.lookLater(directory, name);
                    return;
                }
                boolean wasHome = known.isHome();
                boolean there = update(row.id(), opened, name, false);
                if (!wasHome || !there) {
                    // The catalog shows the size of every copy; and what it has lost it is told again.
                    add(directory, opened, name, shown, status, row.id(), null);
                }
            }
            case OTHER_FILE -> replaced(directory, opened, name, shown, status, row.id());
        }
    }

    /**
     * A file that took another's place may be replaced soon itself. Opened first and looked at then, it can be read to its end by
     * whoever looks it up, however fast that happens.
     */
    private void replaced(
            FileId directory, Descriptor opened, byte[] name, byte[] shown, FileStatus status, FileId before)
            throws IOException, InterruptedException {
        SharedDescriptor file = status.isRegular() ? openReplacement(opened, name) : null;
        FileStatus now = file == null ? status : Statx.of(file.number());
        add(directory, opened, name, shown, now, null, new Replacement(before, file));
    }

    /** @param opened the file that took the place; belongs to whoever has the replacement */
    private record Replacement(FileId before, @Nullable SharedDescriptor opened) {}

    /** @return false when the catalog does not know the file */
    private boolean update(FileId id, Descriptor opened, byte[] name, boolean renamed)
            throws IOException, InterruptedException {
        try {
            parts.updates().found(parts.files().get(id), opened, name, renamed);
            return true;
        } catch (FailureException e) {
            return switch (e.code()) {
                case NOT_FOUND -> false;
                // Another server has become its home: this is a further copy now, and its row says so.
                case NOT_HOME -> true;
                default -> throw e;
            };
        }
    }

    /** What the catalog was told of it last is younger than a second. */
    private static boolean isBusy(IndexedFile known) {
        long age = System.currentTimeMillis() * NANOS_PER_MILLI
                - known.attributes().changedNanos();
        return age >= 0 && age < BUSY_NANOS;
    }

    /** Numbers of devices may be given anew at each boot. The inode with its birth and change times tells the file well enough. */
    private IndexedFile sameAfterRestart(IndexedFile row, FileStatus status) throws IOException {
        Attributes attributes = row.attributes();
        boolean moved = row.device() != status.device()
                && row.inode() == status.inode()
                && attributes.bornNanos() == status.bornNanos()
                && attributes.changedNanos() == status.changedNanos()
                && attributes.modifiedNanos() == status.modifiedNanos()
                && attributes.size() == status.size();
        if (!moved) {
            return row;
        }
        IndexedFile there = row.seen(status, attributes);
        parts.index().update(there);
        ServedFile served = parts.files().inUse(row.id());
        if (served != null) {
            served.setRow(there);
        }
        return there;
    }

    /**
     * @param known the id that it has, if it only has to be told again
     * @param replacement what the name led to until now, if it is to lead to another file
     */
    private void add(
            FileId directory,
            Descriptor opened,
            byte[] name,
            byte[] shown,
            FileStatus status,
            @Nullable FileId known,
            @Nullable Replacement replacement)
            throws IOException, InterruptedException {
        Attributes attributes;
        byte[] target;
        try {
            attributes = FileAttributes.of(status, XattrKinds.of(ExtendedAttributes.names(opened, name)));
            target = status.isSymlink() ? SymbolicLinks.target(opened.number(), name) : NO_TARGET;
        } catch (SystemCallException e) {
            if (!TreeErrors.isAbsence(e.errno())) {
                tree.skip(shown, e.errno(), Errno.describe(e.errno()));
            } else if (replacement != null) {
                gone.add(new Gone(new IndexedName(directory, RawBytes.copyOf(name), replacement.before()), stamp));
            }
            if (replacement != null && replacement.opened() != null) {
                replacement.opened().close();
            }
            return;
        }
        FileId replaces = replacement == null ? null : replacement.before();
        FileId sameAs = known == null && !status.isDirectory() ? sameFile(status, replaces) : null;
        RegistrationBatch.Entry entry = new RegistrationBatch.Entry(
                new RegistrationBatch.Found(
                        directory,
                        RawBytes.copyOf(name),
                        RawBytes.copyOf(shown),
                        status,
                        attributes,
                        RawBytes.copyOf(target)),
                known,
                sameAs,
                replaces,
                replacement == null ? null : replacement.opened(),
                stamp);
        batch.add(entry);
        if (status.isDirectory()) {
            toVisit.add(new Visit(null, entry));
        }
        IndexedFile same = sameAs == null ? null : parts.index().file(sameAs);
        if (same != null && FileChange.between(same, status) != FileChange.NONE) {
            batch.flush();
            update(same.id(), opened, name, true);
        }
    }

    /** The registered file that this is another name, or the new name, of. */
    private @Nullable FileId sameFile(FileStatus status, @Nullable FileId replaces) throws IOException {
        FileId candidate = parts.index().byInode(tree.number(), status.device(), status.inode());
        if (candidate == null || candidate.equals(replaces)) {
            return null;
        }
        IndexedFile row = parts.index().file(candidate);
        if (row == null || FileChange.between(row, status) == FileChange.OTHER_FILE) {
            return null;
        }
        // Without birth times a recycled inode number looks the same: only a second link is certain to be the same file
        // then.
        return status.bornNanos() != 0 || status.links() > 1 ? candidate : null;
    }

    /** Null when it can't be opened: that is told to whoever asks for it. */
    private static @Nullable SharedDescriptor openReplacement(Descriptor opened, byte[] name) {
        try (RootDirectory directory = RootDirectory.borrowed(opened);
                Descriptor located = directory.locate(name)) {
            return Statx.of(located.number()).isRegular() ? new SharedDescriptor(RootDirectory.reopen(located)) : null;
        } catch (SystemCallException e) {
            return null;
        }
    }

    private boolean isLeftOut(Descriptor opened, byte[] name, byte[] shown, FileStatus status) throws IOException {
        if (Orphans.isTheirs(shown)) {
            return true;
        }
        if (mounts.contains(status.mountId())) {
            tree.skip(shown, 0, "a mount of a grid is not published");
            return true;
        }
        try {
            FileName.of(name);
            FileAttributes.of(status, XattrKinds.NONE);
        } catch (IllegalArgumentException e) {
            tree.skip(shown, Errno.EINVAL, String.valueOf(e.getMessage()));
            return true;
        }
        if (status.isRegular() || status.isDirectory()) {
            int errno = Access.reading(opened.number(), name);
            if (errno != 0 && !TreeErrors.isAbsence(errno)) {
                tree.skip(shown, errno, Errno.describe(errno));
                return true;
            }
        }
        if (!whole) {
            tree.notSkipped(shown);
        }
        return false;
    }

    // ---- a single published file

    /** The published root is a file: compared with what its name leads to now. */
    void singleFile() throws IOException, InterruptedException {
        seen++;
        try {
            parts.updates().bringUpToDate(parts.files().get(tree.rootId()));
            tree.forgetSkipped();
        } catch (SystemCallException e) {
            tree.skip(NO_TARGET, e.errno(), Errno.describe(e.errno()));
        } catch (FailureException e) {
            if (e.code() != spigot.transport.wire.Failure.Code.NOT_FOUND) {
                throw e;
            }
            // It may be replaced right now; when it stays away the source counts as missing.
            tree.skip(NO_TARGET, Errno.ENOENT, e.failure().getMessage());
        }
    }

    // ---- what is gone

    private void withdraw(List<Gone> names) throws IOException, InterruptedException {
        for (int from = 0; from < names.size(); from += RegistrationClient.MAX_BATCH_ENTRIES) {
            List<Gone> some = names.subList(from, Math.min(names.size(), from + RegistrationClient.MAX_BATCH_ENTRIES));
            Set<FileId> directories = new HashSet<>();
            some.forEach(each -> directories.add(each.name().directory()));
            try (DirectoryTurns.Turn _ = tree.turns().enter(directories, TURN)) {
                withdrawSome(some);
            }
        }
    }

    private void withdrawSome(List<Gone> some) throws IOException, InterruptedException {
        List<RegistrationClient.Name> sent = new ArrayList<>();
        for (Gone each : some) {
            IndexedName name = each.name();
            // A name that leads elsewhere by now is another entry, and not gone.
            if (!name.id().equals(parts.index().child(tree.number(), name.directory(), name.name()))) {
                continue;
            }
            if (tree.turns().changedSince(name.directory(), each.stamp())) {
                tree.lookAt(name.directory(), name.name().toArray());
            } else {
                sent.add(new RegistrationClient.Name(name.directory(), new FileName(name.name())));
            }
        }
        parts.catalog().withdraw(tree.rootId(), sent);
        for (RegistrationClient.Name name : sent) {
            for (FileId nameless : parts.index()
                    .remove(tree.number(), name.directory(), name.name().bytes())) {
                parts.files().nameless(nameless);
                parts.watcher().unwatch(nameless);
            }
        }
    }

    private void report() {
        tree.progress(seen, batch.registered());
        progress.progress(seen, batch.registered(), tree.skippedCount());
    }
}
