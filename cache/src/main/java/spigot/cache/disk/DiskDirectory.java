package spigot.cache.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.cache.CacheDirectoryException;
import spigot.model.FileId;

/** The cache directory: that it is ours, for this process alone, usable, and what in it is not blocks. */
final class DiskDirectory implements AutoCloseable {
    private static final String FORMAT = "spigot cache 1\n";
    private static final int PROBE_BYTES = 1 << 20;

    private final Path directory;
    private final FileChannel lockFile;

    private DiskDirectory(Path directory, FileChannel lockFile) {
        this.directory = directory;
        this.lockFile = lockFile;
    }

    /** Makes the directory and what belongs into it, where it is not there yet. */
    static DiskDirectory open(Path directory) throws CacheDirectoryException {
        FileChannel lockFile = null;
        try {
            Files.createDirectories(directory);
            lockFile = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!isLocked(lockFile)) {
                throw new CacheDirectoryException("the cache directory " + directory
                        + " is in use by another mount: give each mount its own with --cache");
            }
            DiskDirectory opened = new DiskDirectory(directory, lockFile);
            opened.checkFormat();
            opened.checkSpace();
            opened.makeShards();
            return opened;
        } catch (CacheDirectoryException e) {
            close(lockFile);
            throw e;
        } catch (IOException e) {
            close(lockFile);
            throw new CacheDirectoryException(
                    "the cache directory " + directory + " can't be used: " + reason(e)
                            + "; choose another with --cache",
                    e);
        }
    }

    private static boolean isLocked(FileChannel lockFile) throws IOException {
        try {
            FileLock lock = lockFile.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException _) {
            return false; // by this very process
        }
    }

    private void checkFormat() throws IOException {
        Path format = directory.resolve("format");
        if (!Files.exists(format)) {
            Files.writeString(format, FORMAT);
        } else if (!Files.readString(format, StandardCharsets.ISO_8859_1).equals(FORMAT)) {
            if (Files.size(format) == 0) { // the machine stopped before it was written
                Files.writeString(format, FORMAT);
                return;
            }
            throw new CacheDirectoryException("the cache directory " + directory
                    + " was made by another version of Spigot: remove it, or choose another with --cache");
        }
    }

    /** What can't even take 1 MiB is no place for a cache. */
    private void checkSpace() throws IOException {
        Path probe = directory.resolve("probe");
        try (FileChannel channel = FileChannel.open(probe, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocate(64 << 10);
            for (int written = 0; written < PROBE_BYTES; written += zeros.capacity()) {
                zeros.clear();
                while (zeros.hasRemaining()) {
                    channel.write(zeros);
                }
            }
        } catch (IOException e) {
            if (DiskErrors.isNoSpace(e)) {
                throw new CacheDirectoryException(
                        "no space in the cache directory " + directory
                                + ": it can't take 1 MiB; free some space, or choose another with --cache",
                        e);
            }
            throw e;
        } finally {
            Files.deleteIfExists(probe);
        }
    }

    private void makeShards() throws IOException {
        for (int shard = 0; shard < 256; shard++) {
            Path path = blocks().resolve(HexFormat.of().toHexDigits((byte) shard));
            if (!Files.isDirectory(path)) {
                Files.createDirectories(path);
            }
        }
    }

    Path blocks() {
        return directory.resolve("blocks");
    }

    Path path() {
        return directory;
    }

    Set<FileId> readPins() throws CacheDirectoryException {
        Set<FileId> pins = new HashSet<>();
        Path file = directory.resolve("pins");
        try {
            if (Files.exists(file)) {
                for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
                    pins.add(FileId.parse(line));
                }
            }
            return pins;
        } catch (IOException | IllegalArgumentException e) {
            throw new CacheDirectoryException(
                    "the list of pinned files " + file + " can't be read: remove it and pin the files again", e);
        }
    }

    void writePins(Set<FileId> pins) throws IOException {
        Path temporary = directory.resolve("pins.new");
        Files.write(temporary, pins.stream().sorted().map(FileId::toString).toList(), StandardCharsets.ISO_8859_1);
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(temporary, directory.resolve("pins"), StandardCopyOption.ATOMIC_MOVE);
    }

    private static String reason(IOException e) {
        if (e instanceof FileSystemException file) {
            String why = file.getReason();
            return why == null
                    ? e.getClass().getSimpleName() + " " + file.getFile()
                    : why + " (" + file.getFile() + ")";
        }
        return String.valueOf(e.getMessage());
    }

    private static void close(@Nullable FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException _) {
                // It was only locked: the error that is being reported says more.
            }
        }
    }

    @Override
    public void close() {
        close(lockFile);
    }
}
