package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Descriptor;
import spigot.linux.Inotify;
import spigot.linux.RootDirectory;
import spigot.linux.SystemCallException;
import spigot.model.FileId;

/**
 * Hears of changes in published directories from the kernel, for as many as its limit allows; remembers the others, which have to be
 * looked at now and then. Safe for any thread; an own thread reads the events and only notes what is to be looked at.
 */
final class DirectoryWatcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DirectoryWatcher.class);
    private static final Path LIMIT = Path.of("/proc/sys/fs/inotify/max_user_watches");
    private static final int MASK = Inotify.MODIFIED
            | Inotify.ATTRIBUTES
            | Inotify.WRITTEN_AND_CLOSED
            | Inotify.MOVED_FROM
            | Inotify.MOVED_TO
            | Inotify.CREATED
            | Inotify.DELETED;
    private static final int POLL_MILLIS = 500;

    private final @Nullable Inotify inotify;
    private final int limit;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Integer, Watched> byWatch = new HashMap<>();
    private final Map<FileId, Integer> byDirectory = new HashMap<>();
    private final Map<FileId, PublishedTree> unwatched = new HashMap<>();
    private final @Nullable Thread thread;
    private volatile boolean closed;

    private record Watched(PublishedTree tree, FileId directory) {}

    /** @param most upper bound beside half of the user's limit of the kernel */
    DirectoryWatcher(int most) {
        inotify = most == 0 ? null : make();
        limit = Math.min(most, kernelLimit() / 2);
        Inotify events = inotify;
        thread = events == null
                ? null
                : Thread.ofPlatform().name("inotify").daemon().start(() -> read(events));
    }

    private static @Nullable Inotify make() {
        try {
            return new Inotify();
        } catch (SystemCallException e) {
            LOG.warn("no inotify, directories are rescanned instead reason=\"{}\"", e.getMessage());
            return null;
        }
    }

    /** By one read(2): the kernel gives the value to the first and nothing to a second, and the JDK begins with one byte. */
    private static int kernelLimit() {
        ByteBuffer text = ByteBuffer.allocate(32);
        try (SeekableByteChannel file = Files.newByteChannel(LIMIT)) {
            file.read(text);
            return Integer.parseInt(
                    StandardCharsets.US_ASCII.decode(text.flip()).toString().strip());
        } catch (IOException | NumberFormatException e) {
            LOG.warn("the kernel's limit of watches is not known, taking 8192 file={}", LIMIT);
            return 8192;
        }
    }

    /** From now on changes of the directory are noted with the tree, or else it is among {@link #unwatched}. */
    void watch(PublishedTree tree, FileId directory, Descriptor opened) throws SystemCallException {
        lock.lock();
        try {
            if (byDirectory.containsKey(directory) && isSameWatch(directory, opened)) {
                return;
            }
            Inotify events = byWatch.size() < limit ? inotify : null;
            int watch = events == null ? -1 : events.watch(opened, MASK);
            if (events == null || watch < 0) {
                unwatched.put(directory, tree);
                return;
            }
            unwatched.remove(directory);
            Watched before = byWatch.put(watch, new Watched(tree, directory));
            if (before != null && !before.directory().equals(directory)) {
                byDirectory.remove(before.directory());
            }
            Integer old = byDirectory.put(directory, watch);
            if (old != null && old != watch && inotify != null) {
                byWatch.remove(old);
                events.unwatch(old);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Adding a watch again gives the same number as long as the directory is the same inode. */
    private boolean isSameWatch(FileId directory, Descriptor opened) throws SystemCallException {
        Integer watch = byDirectory.get(directory);
        return watch != null && inotify != null && inotify.watch(opened, MASK) == watch;
    }

    void unwatch(FileId directory) {
        lock.lock();
        try {
            unwatched.remove(directory);
            Integer watch = byDirectory.remove(directory);
            if (watch != null && inotify != null) {
                byWatch.remove(watch);
                inotify.unwatch(watch);
            }
        } finally {
            lock.unlock();
        }
    }

    void unwatchAll(PublishedTree tree) {
        List<FileId> directories = new ArrayList<>();
        lock.lock();
        try {
            byWatch.values().forEach(watched -> {
                if (watched.tree() == tree) {
                    directories.add(watched.directory());
                }
            });
            unwatched.values().removeIf(tree::equals);
        } finally {
            lock.unlock();
        }
        directories.forEach(this::unwatch);
    }

    int count() {
        lock.lock();
        try {
            return byWatch.size();
        } finally {
            lock.unlock();
        }
    }

    /** The directories of a tree that the kernel does not watch. */
    List<FileId> unwatched(PublishedTree tree) {
        lock.lock();
        try {
            List<FileId> directories = new ArrayList<>();
            unwatched.forEach((directory, owner) -> {
                if (owner == tree) {
                    directories.add(directory);
                }
            });
            return directories;
        } finally {
            lock.unlock();
        }
    }

    private void read(Inotify events) {
        while (!closed) {
            try {
                events.poll(POLL_MILLIS, this::note);
            } catch (SystemCallException e) {
                LOG.error("inotify failed, directories are rescanned from now on reason=\"{}\"", e.getMessage());
                giveUp();
                return;
            }
        }
    }

    private void note(Inotify.Event event) {
        if ((event.mask() & Inotify.OVERFLOW) != 0) {
            LOG.info("inotify overflow: all publications are looked at again");
            trees().forEach(PublishedTree::rescan);
            return;
        }
        Watched watched;
        lock.lock();
        try {
            watched = byWatch.get(event.watch());
            if (watched != null && (event.mask() & Inotify.IGNORED) != 0) {
                byWatch.remove(event.watch());
                byDirectory.remove(watched.directory(), event.watch());
            }
        } finally {
            lock.unlock();
        }
        if (watched != null) {
            watched.tree().lookAt(watched.directory(), event.name());
        }
    }

    private Set<PublishedTree> trees() {
        lock.lock();
        try {
            Set<PublishedTree> trees = new LinkedHashSet<>();
            byWatch.values().forEach(watched -> trees.add(watched.tree()));
            return trees;
        } finally {
            lock.unlock();
        }
    }

    private void giveUp() {
        lock.lock();
        try {
            byWatch.values().forEach(watched -> unwatched.put(watched.directory(), watched.tree()));
            byWatch.clear();
            byDirectory.clear();
        } finally {
            lock.unlock();
        }
    }

    /** The end of a watch is an event. */
    private static void wake(Inotify inotify) {
        try (RootDirectory any = RootDirectory.open(new byte[] {'/'})) {
            inotify.unwatch(inotify.watch(any.descriptor(), Inotify.SELF_DELETED));
        } catch (SystemCallException e) {
            LOG.debug("the thread that reads events ends at its next turn reason=\"{}\"", e.getMessage());
        }
    }

    @Override
    public void close() {
        closed = true;
        if (thread != null && inotify != null) {
            wake(inotify);
            try {
                thread.join(2L * POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            // If the thread should still be there it gets EBADF at its next poll and ends.
            inotify.close();
        }
    }
}
