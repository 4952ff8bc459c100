package spigot.replica;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryEntries;
import spigot.linux.DirectoryReader;
import spigot.linux.Errno;
import spigot.linux.RootDirectory;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.session.LeaseGrantor;
import spigot.transport.FailureException;

/**
 * Files whose last name was removed by an operation while somebody had them open: they get a name, which is their id, in a hidden
 * directory below the published root, so that they can be read on after this server has started again; and lose it when nobody has
 * them open any more. Where the file system can't link (another one is mounted below the root), the open descriptor alone keeps them.
 * Safe for any thread.
 */
final class Orphans {
    private static final Logger LOG = LoggerFactory.getLogger(Orphans.class);
    private static final String DIRECTORY = ".spigot-orphans";
    private static final byte[] NAME = DIRECTORY.getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ROOT = {};
    private static final int MODE = 0700;

    private final PublicationIndex index;
    private final ServedFiles files;
    private final LeaseGrantor leases;
    private final long keepAllUntilNanos;

    /** @param grace how long after a start leases of the former life may be renewed by an open: nothing is removed before */
    Orphans(PublicationIndex index, ServedFiles files, LeaseGrantor leases, Duration grace) {
        this.index = index;
        this.files = files;
        this.leases = leases;
        this.keepAllUntilNanos = System.nanoTime() + grace.toNanos();
    }

    /** @param path from the published root */
    static boolean isTheirs(byte[] path) {
        return Arrays.equals(path, NAME);
    }

    static byte[] path(FileId id) {
        return PublishedTree.join(NAME, name(id));
    }

    private static byte[] name(FileId id) {
        return String.format("%016x%016x", id.high(), id.low()).getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * To be called before the last name of a file is removed.
     *
     * @return whether it has a hidden name now
     */
    boolean keep(PublishedTree tree, IndexedFile file, Descriptor located) throws IOException {
        if (!file.attributes().isRegular() || (!leases.isLeased(file.id()) && !files.isWritten(file.id()))) {
            return false;
        }
        try (Descriptor root = tree.locate(ROOT);
                Descriptor directory = openOrMake(root)) {
            DirectoryEntries.link(located, directory, name(file.id()));
            return true;
        } catch (SystemCallException e) {
            if (e.errno() == Errno.EEXIST) {
                return true;
            }
            LOG.info("event=orphan_without_name file={} reason=\"{}\"", file.id(), e.getMessage());
            return false;
        }
    }

    /** The name was not removed after all. */
    void release(PublishedTree tree, FileId id) throws IOException {
        try (Descriptor directory = tree.locate(NAME)) {
            DirectoryEntries.unlink(directory, name(id));
        } catch (SystemCallException e) {
            if (!TreeErrors.isAbsence(e.errno())) {
                throw e;
            }
        }
    }

    private static Descriptor openOrMake(Descriptor root) throws SystemCallException {
        RootDirectory below = RootDirectory.borrowed(root);
        try {
            return below.locate(NAME);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
        try {
            DirectoryEntries.makeDirectory(root, NAME, MODE);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.EEXIST) {
                throw e;
            }
        }
        return below.locate(NAME);
    }

    /** Removes those that nobody has open any more. */
    void sweep(PublishedTree tree) throws IOException {
        if (System.nanoTime() - keepAllUntilNanos < 0) {
            return;
        }
        List<byte[]> names;
        try (Descriptor root = tree.locate(ROOT);
                Descriptor directory = RootDirectory.borrowed(root).openDirectory(NAME)) {
            names = DirectoryReader.names(directory.number(), DIRECTORY);
            for (FileId id : ids(names)) {
                if (!leases.isLeased(id) && !files.isWritten(id)) {
                    DirectoryEntries.unlink(directory, name(id));
                    index.forgetNameless(id);
                    files.nameless(id);
                    LOG.debug("event=orphan_removed file={}", id);
                }
            }
        } catch (SystemCallException e) {
            if (!TreeErrors.isAbsence(e.errno())) {
                throw e;
            }
        } catch (FailureException e) {
            LOG.debug(
                    "event=orphans_not_swept path={} reason=\"{}\"",
                    tree.publication().path(),
                    e.getMessage());
        }
    }

    private static List<FileId> ids(List<byte[]> names) {
        List<FileId> ids = new ArrayList<>();
        for (byte[] name : names) {
            String text = new String(name, StandardCharsets.US_ASCII);
            if (text.matches("[0-9a-f]{32}")) {
                ids.add(new FileId(
                        Long.parseUnsignedLong(text.substring(0, 16), 16),
                        Long.parseUnsignedLong(text.substring(16), 16)));
            }
        }
        return ids;
    }
}
