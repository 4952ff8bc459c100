package spigot.node.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import spigot.node.Json;
import spigot.node.NodeException;

/**
 * The directory of a server, locked while its process lives.
 *
 * <pre>
 * server.json   what the server is; its presence makes the directory a server's
 * process.json  the running process and its control socket
 * lock          locked by the running process
 * control.sock  for verbs of this machine
 * identity/     key and certificate
 * authority/    the grid's CA, at the first server only
 * catalog/      at the first server only
 * replica/      index of what it publishes
 * </pre>
 */
final class ServerDirectory implements Closeable {
    private static final String MARKER = "server.json";
    private static final String LOCK = "lock";
    private static final int FORMAT = 1;
    private static final FileAttribute<?> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path path;
    private final FileChannel lock;
    private final boolean made;
    private final @Nullable ServerMarker marker;

    private ServerDirectory(Path path, FileChannel lock, boolean made, @Nullable ServerMarker marker) {
        this.path = path;
        this.lock = lock;
        this.made = made;
        this.marker = marker;
    }

    /**
     * What a server is, for all of its lives.
     *
     * @param catalog the address of the grid's first server; empty: this one is it
     */
    record ServerMarker(String grid, String name, String site, String catalog) {
        boolean isFirst() {
            return catalog.isEmpty();
        }
    }

    /**
     * Opens and locks a directory: of a server, or empty, or absent in a directory that is there.
     *
     * @throws NodeException when it is none of these, or a server runs in it
     */
    static ServerDirectory open(Path path) throws NodeException, IOException {
        boolean made = false;
        if (!Files.exists(path)) {
            Path parent = path.toAbsolutePath().getParent();
            if (parent == null || !Files.isDirectory(parent)) {
                throw new NodeException(
                        "there is no directory " + parent + " to make " + path.getFileName() + " in: make it first");
            }
            try {
                Files.createDirectory(path, PRIVATE);
            } catch (IOException e) {
                throw new NodeException("the directory " + path + " can't be made: " + NodeException.reason(e), e);
            }
            made = true;
        }
        if (!Files.isDirectory(path)) {
            throw new NodeException(path + " is not a directory");
        }
        boolean server = Files.exists(path.resolve(MARKER));
        if (!server && !isEmpty(path)) {
            throw new NodeException(
                    path
                            + " is not empty and is no server's directory: choose an empty one, or one that an earlier server has used");
        }
        FileChannel lock = lock(path);
        try {
            ServerMarker marker = server ? readMarker(path.resolve(MARKER)) : null;
            return new ServerDirectory(path, lock, made, marker);
        } catch (NodeException | IOException e) {
            lock.close();
            throw e;
        }
    }

    private static boolean isEmpty(Path path) throws NodeException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            for (Path entry : entries) {
                // A start that was killed may have left its lock.
                if (!entry.getFileName().toString().equals(LOCK)) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            throw new NodeException("the directory " + path + " can't be read: " + NodeException.reason(e), e);
        }
    }

    private static FileChannel lock(Path path) throws NodeException {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock locked = channel.tryLock();
            if (locked != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Held by this very process: told as for any other below.
        } catch (IOException e) {
            throw new NodeException("the directory " + path + " can't be written: " + NodeException.reason(e), e);
        }
        closeQuietly(channel);
        throw new NodeException("a server is running in " + path
                + LocalServer.processOf(path)
                        .map(stamp -> " (process " + stamp.pid() + ")")
                        .orElse("") + ": stop it first");
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("the lock file can't be closed", e);
        }
    }

    private static ServerMarker readMarker(Path file) throws NodeException, IOException {
        ObjectNode json = Json.read(file);
        if (json.path("format").asInt() != FORMAT) {
            throw new NodeException(file + " is of another version of Spigot (format "
                    + json.path("format").asText() + ", this one reads " + FORMAT + ")");
        }
        return new ServerMarker(
                json.path("grid").asText(),
                json.path("name").asText(),
                json.path("site").asText(),
                json.path("catalog").asText());
    }

    /** What the server is; null when it is to become one. */
    @Nullable
    ServerMarker marker() {
        return marker;
    }

    /** Makes the directory a server's. */
    void mark(ServerMarker what) throws IOException {
        Json.write(
                path.resolve(MARKER),
                Json.object()
                        .put("format", FORMAT)
                        .put("grid", what.grid())
                        .put("name", what.name())
                        .put("site", what.site())
                        .put("catalog", what.catalog()));
    }

    Path path() {
        return path;
    }

    /** A private directory below, made if it is not there. */
    Path below(String name) throws IOException {
        Path directory = path.resolve(name);
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory, PRIVATE);
        }
        return directory;
    }

    /** After a first start that failed: leaves the directory as it was found. */
    void discard() throws IOException {
        if (marker != null) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) throws IOException {
                if (!directory.equals(path) || made) {
                    Files.delete(directory);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Lets the next process in. */
    @Override
    public void close() throws IOException {
        lock.close();
    }
}
