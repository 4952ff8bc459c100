package spigot.cache.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.SystemCallException;

/**
 * The descriptors of cached files: at most {@value #MAX_OPEN} that nobody uses stay open. Safe for any thread; the lock is held over open, unlink and
 * close, never over reads and writes.
 */
final class OpenDiskFiles implements AutoCloseable {
    static final int MAX_OPEN = 256;
    private static final int MODE = 0600;

    private final Path blocks;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<DiskEntry, OpenDiskFile> open = new LinkedHashMap<>(16, 0.75f, true);

    OpenDiskFiles(Path blocks) {
        this.blocks = blocks;
    }

    /** @return null when there is no such file and it is not to be created */
    @Nullable
    OpenDiskFile acquire(DiskEntry key, boolean create) throws SystemCallException {
        lock.lock();
        try {
            OpenDiskFile file = open.get(key);
            if (file != null) {
                file.users++;
                return file;
            }
            int flags = Machine.O_RDWR | Machine.O_NOFOLLOW | (create ? Machine.O_CREAT : 0);
            String path = path(key).toString();
            int descriptor = Libc.open(path, flags, MODE);
            if (descriptor == -Errno.ENOENT && !create) {
                return null;
            }
            if (descriptor < 0) {
                throw new SystemCallException("open the cached file", path, -descriptor);
            }
            OpenDiskFile opened = new OpenDiskFile(key, new Descriptor(descriptor));
            open.put(key, opened);
            closeUnused();
            return opened;
        } finally {
            lock.unlock();
        }
    }

    void release(OpenDiskFile file) {
        lock.lock();
        try {
            if (--file.users == 0 && file.deleted) {
                file.close();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Who reads from the file at the moment may go on. */
    void delete(DiskEntry key) throws SystemCallException {
        lock.lock();
        try {
            OpenDiskFile file = open.remove(key);
            if (file != null) {
                file.deleted = true;
                if (file.users == 0) {
                    file.close();
                }
            }
            try {
                Files.deleteIfExists(path(key));
            } catch (IOException e) {
                SystemCallException failure = new SystemCallException(
                        "remove the cached file", path(key).toString(), Errno.EIO);
                failure.initCause(e);
                throw failure;
            }
        } finally {
            lock.unlock();
        }
    }

    Path path(DiskEntry key) {
        return blocks.resolve(DiskLayout.directory(key.file())).resolve(DiskLayout.name(key.content(), key.size));
    }

    private void closeUnused() {
        for (Iterator<OpenDiskFile> i = open.values().iterator(); open.size() > MAX_OPEN && i.hasNext(); ) {
            OpenDiskFile file = i.next();
            if (file.users == 0) {
                i.remove();
                finish(file);
            }
        }
    }

    /** The time of the last use survives a restart as the time of the last change. */
    private void finish(OpenDiskFile file) {
        file.close();
        try {
            Files.setLastModifiedTime(path(file.key), FileTime.from(Instant.now()));
        } catch (IOException _) {
            // Then it counts as used when it was last written.
        }
    }

    /** To be called when nobody reads or writes any more. */
    @Override
    public void close() {
        lock.lock();
        try {
            open.values().forEach(this::finish);
            open.clear();
        } finally {
            lock.unlock();
        }
    }
}
