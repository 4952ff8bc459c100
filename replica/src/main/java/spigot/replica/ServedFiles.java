package spigot.replica;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * The files in use, and their open descriptors: at most so many, the least recently used closed first, those that are leased
 * last. Safe for any thread; {@code lock} guards the order of use and is not held over system calls but close(2).
 */
final class ServedFiles implements AutoCloseable {
    /** For each open file, how many more are remembered without a descriptor. */
    private static final int REMEMBERED = 8;

    private static final int PINNED_PASSED_OVER = 64;

    private final PublicationIndex index;
    private final IntFunction<@Nullable PublishedTree> trees;
    private final Predicate<FileId> written;
    private final int maxOpen;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<FileId, ServedFile> files = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<FileId, ServedFile> open = new LinkedHashMap<>(64, 0.75f, true);
    private final Condition registered = lock.newCondition();
    private final NavigableSet<Long> underway = new TreeSet<>();
    private long registrations;

    /**
     * @param trees the publications by their number; null for one that has ended
     * @param written whether {@link WrittenFiles} has it
     */
    ServedFiles(
            PublicationIndex index,
            IntFunction<@Nullable PublishedTree> trees,
            Predicate<FileId> written,
            int maxOpen) {
        this.index = index;
        this.trees = trees;
        this.written = written;
        this.maxOpen = maxOpen;
    }

    /**
     * Waits for what is being registered just now: who hears of a file from the catalog may ask before this server does.
     *
     * @throws FailureException NOT_FOUND when this server has no such file
     */
    ServedFile await(FileId id, Duration atMost) throws IOException, InterruptedException {
        ServedFile file = find(id);
        if (file != null) {
            return file;
        }
        lock.lock();
        try {
            long upTo = registrations;
            long left = atMost.toNanos();
            while (!underway.headSet(upTo, true).isEmpty() && left > 0) {
                left = registered.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
        return get(id);
    }

    /** The catalog may tell of new files from now on, until {@link #endRegistration}. */
    long beginRegistration() {
        lock.lock();
        try {
            long number = ++registrations;
            underway.add(number);
            return number;
        } finally {
            lock.unlock();
        }
    }

    void endRegistration(long number) {
        lock.lock();
        try {
            underway.remove(number);
            registered.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** @throws FailureException NOT_FOUND when this server has no such file */
    ServedFile get(FileId id) throws IOException {
        ServedFile file = find(id);
        if (file == null) {
            throw new FailureException(
                    Failure.Code.NOT_FOUND,
                    "this server has no file " + id + ": it was removed or never published here");
        }
        return file;
    }

    /** Null when this server has no such file. */
    @Nullable
    ServedFile find(FileId id) throws IOException {
        lock.lock();
        try {
            ServedFile file = files.get(id);
            if (file != null) {
                return file;
            }
            IndexedFile row = index.file(id);
            PublishedTree tree = row == null ? null : trees.apply(row.publication());
            if (row == null || tree == null) {
                return null;
            }
            file = new ServedFile(tree, row, written.test(id));
            files.put(id, file);
            forgetUnused();
            return file;
        } finally {
            lock.unlock();
        }
    }

    boolean isWritten(FileId id) {
        return written.test(id);
    }

    /** The file if it is in use, without making it so. */
    @Nullable
    ServedFile inUse(FileId id) {
        lock.lock();
        try {
            return files.get(id);
        } finally {
            lock.unlock();
        }
    }

    /**
     * The file's descriptor, opened if need be; the caller is a user of it.
     *
     * @throws FailureException NOT_FOUND when its name is gone or leads to another file now; the publication is told
     * @throws SystemCallException when it can't be opened
     */
    SharedDescriptor descriptor(ServedFile file) throws IOException {
        SharedDescriptor descriptor = file.openDescriptor();
        if (descriptor != null) {
            lock.lock();
            try {
                open.get(file.id());
            } finally {
                lock.unlock();
            }
            return descriptor;
        }
        IndexedFile row = file.row();
        try (Descriptor located = locate(file)) {
            FileStatus status = Statx.of(located.number());
            if (FileChange.between(row, status) == FileChange.OTHER_FILE || !status.isRegular()) {
                file.tree().lookAt(file.id());
                throw gone(file);
            }
            descriptor = new SharedDescriptor(RootDirectory.reopen(located));
        }
        descriptor.retain();
        keep(file, descriptor);
        return descriptor;
    }

    /** Its place in the tree, found by its name. */
    Descriptor locate(ServedFile file) throws IOException {
        byte[] path = index.path(file.id(), file.tree().rootId());
        if (path == null) {
            // Unlinked while somebody had it open, it is still there, hidden; else it is gone.
            path = Orphans.path(file.id());
        }
        try {
            return file.tree().locate(path);
        } catch (SystemCallException e) {
            file.tree().lookAt(file.id());
            if (TreeErrors.isAbsence(e.errno())) {
                throw gone(file);
            }
            throw e;
        }
    }

    /** Keeps a descriptor of the file open, for later; it belongs to this object from now on. */
    void keep(ServedFile file, SharedDescriptor descriptor) {
        List<SharedDescriptor> toClose = new ArrayList<>();
        lock.lock();
        try {
            if (files.get(file.id()) != file) {
                toClose.add(descriptor);
            } else {
                SharedDescriptor before = file.replaceDescriptor(descriptor);
                if (before != null) {
                    toClose.add(before);
                }
                open.put(file.id(), file);
                closeSome(toClose);
            }
        } finally {
            lock.unlock();
        }
        toClose.forEach(SharedDescriptor::close);
    }

    /** Closes its descriptor, if it is open. */
    void close(ServedFile file) {
        SharedDescriptor descriptor;
        lock.lock();
        try {
            open.remove(file.id());
            descriptor = file.replaceDescriptor(null);
        } finally {
            lock.unlock();
        }
        if (descriptor != null) {
            descriptor.close();
        }
    }

    /** Its last name is gone: it is served as long as it is open, and not remembered otherwise. */
    void nameless(FileId id) {
        lock.lock();
        try {
            ServedFile file = files.get(id);
            if (file != null) {
                file.loseName();
                if (!file.isOpen()) {
                    files.remove(id);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Those that are looked at now and then: leased, or read shortly after a change. */
    List<ServedFile> watched() {
        lock.lock();
        try {
            return files.values().stream().filter(ServedFile::isPinned).toList();
        } finally {
            lock.unlock();
        }
    }

    int openCount() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }

    /** Drops all files of a publication that has ended. */
    void forgetAll(PublishedTree tree) {
        List<SharedDescriptor> toClose = new ArrayList<>();
        lock.lock();
        try {
            for (Iterator<ServedFile> all = files.values().iterator(); all.hasNext(); ) {
                ServedFile file = all.next();
                if (file.tree() == tree) {
                    all.remove();
                    open.remove(file.id());
                    SharedDescriptor descriptor = file.replaceDescriptor(null);
                    if (descriptor != null) {
                        toClose.add(descriptor);
                    }
                }
            }
        } finally {
            lock.unlock();
        }
        toClose.forEach(SharedDescriptor::close);
    }

    private void closeSome(List<SharedDescriptor> toClose) {
        while (open.size() > maxOpen) {
            ServedFile victim = victim();
            open.remove(victim.id());
            SharedDescriptor descriptor = victim.replaceDescriptor(null);
            if (descriptor != null) {
                toClose.add(descriptor);
            }
            if (!victim.isNamed()) {
                files.remove(victim.id());
            }
        }
    }

    /** The least recently used one that is not pinned, of a few; else the least recently used one. */
    private ServedFile victim() {
        int passed = 0;
        for (ServedFile file : open.values()) {
            if (!file.isPinned()) {
                return file;
            }
            if (++passed == PINNED_PASSED_OVER) {
                break;
            }
        }
        return open.values().iterator().next();
    }

    private void forgetUnused() {
        int passed = 0;
        Iterator<ServedFile> eldest = files.values().iterator();
        while (files.size() > maxOpen * (REMEMBERED + 1) && eldest.hasNext() && passed++ < PINNED_PASSED_OVER) {
            ServedFile file = eldest.next();
            if (!file.isPinned() && !file.isOpen()) {
                eldest.remove();
            }
        }
    }

    private static FailureException gone(ServedFile file) {
        return new FailureException(
                Failure.Code.NOT_FOUND,
                "file " + file.id() + " is gone: it was removed or replaced at its server; look its name up again");
    }

    @Override
    public void close() {
        List<SharedDescriptor> toClose = new ArrayList<>();
        lock.lock();
        try {
            for (ServedFile file : open.values()) {
                SharedDescriptor descriptor = file.replaceDescriptor(null);
                if (descriptor != null) {
                    toClose.add(descriptor);
                }
            }
            open.clear();
            files.clear();
        } finally {
            lock.unlock();
        }
        toClose.forEach(SharedDescriptor::close);
    }
}
