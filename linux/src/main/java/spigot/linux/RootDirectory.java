package spigot.linux;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A directory beneath which paths are opened and never anywhere else: openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and
 * RESOLVE_NO_MAGICLINKS, so that neither a symbolic link, nor "..", nor a component that is swapped meanwhile leads out of it.
 * Mount points below it are crossed. Paths are raw bytes, relative, of any length: what exceeds PATH_MAX is resolved in pieces,
 * each beneath the one before. Safe for any thread until it is closed.
 */
public final class RootDirectory implements AutoCloseable {
    private static final int RESOLVE_NO_MAGICLINKS = 0x02;
    private static final int RESOLVE_NO_SYMLINKS = 0x04;
    private static final int RESOLVE_BENEATH = 0x08;
    private static final int HOW_BYTES = 24;
    private static final int PIECE_BYTES = 4000;
    private static final int ATTEMPTS = 100;
    private static final byte[] SELF = {'.'};

    private final Descriptor root;
    private final String shown;
    private final boolean owned;

    private RootDirectory(Descriptor root, String shown, boolean owned) {
        this.root = root;
        this.shown = shown;
        this.owned = owned;
    }

    /** @param path absolute; its own components may be symbolic links */
    public static RootDirectory open(byte[] path) throws SystemCallException {
        int descriptor = Libc.openat(
                Machine.AT_FDCWD, Scratch.path(path), Machine.O_PATH | Machine.O_DIRECTORY | Machine.O_CLOEXEC, 0);
        if (descriptor < 0) {
            throw new SystemCallException("open the directory", Names.show(path), -descriptor);
        }
        return new RootDirectory(new Descriptor(descriptor), new String(path, StandardCharsets.UTF_8), true);
    }

    /** A directory that is open already as a root; closing it closes nothing. */
    public static RootDirectory borrowed(Descriptor directory) {
        return new RootDirectory(directory, "an open directory", false);
    }

    public FileStatus status() throws SystemCallException {
        return Statx.of(root.number());
    }

    public Descriptor descriptor() {
        return root;
    }

    /** Only the place of a file: to look at it, to walk on from it, or for {@link #reopen}. An open of this kind has no effect on it. */
    public Descriptor locate(byte[] path) throws SystemCallException {
        return open(path, Machine.O_PATH | Machine.O_NOFOLLOW);
    }

    public Descriptor openDirectory(byte[] path) throws SystemCallException {
        return open(path, Machine.O_RDONLY | Machine.O_DIRECTORY);
    }

    /**
     * Opens what was located for reading. The caller has looked at it and knows that it is a regular file: opening a device
     * or a FIFO has effects.
     */
    public static Descriptor reopen(Descriptor located) throws SystemCallException {
        byte[] path = located.procPath().getBytes(StandardCharsets.US_ASCII);
        int flags = Machine.O_RDONLY | Machine.O_CLOEXEC | Machine.O_NONBLOCK | Machine.O_NOCTTY;
        // Reading should not move the access time; only the owner of a file may ask for that.
        int descriptor = Libc.openat(Machine.AT_FDCWD, Scratch.path(path), flags | Machine.O_NOATIME, 0);
        if (descriptor == -Errno.EPERM) {
            descriptor = Libc.openat(Machine.AT_FDCWD, Scratch.path(path), flags, 0);
        }
        if (descriptor < 0) {
            throw new SystemCallException("open for reading", "a published file", -descriptor);
        }
        return new Descriptor(descriptor);
    }

    private Descriptor open(byte[] path, int flags) throws SystemCallException {
        if (path.length <= PIECE_BYTES) {
            return beneath(root, path.length == 0 ? SELF : path, flags, path);
        }
        Descriptor directory = root;
        int from = 0;
        try {
            while (path.length - from > PIECE_BYTES) {
                int end = lastSlash(path, from, from + PIECE_BYTES);
                Descriptor next = beneath(
                        directory, Arrays.copyOfRange(path, from, end), Machine.O_PATH | Machine.O_DIRECTORY, path);
                close(directory);
                directory = next;
                from = end + 1;
            }
            return beneath(directory, Arrays.copyOfRange(path, from, path.length), flags, path);
        } finally {
            close(directory);
        }
    }

    private void close(Descriptor directory) {
        if (directory != root) {
            directory.close();
        }
    }

    private Descriptor beneath(Descriptor directory, byte[] path, int flags, byte[] whole) throws SystemCallException {
        long address = Scratch.path(path);
        long how = Scratch.struct();
        Memory.putLong(how, flags | Machine.O_CLOEXEC);
        Memory.putLong(how + 8, 0);
        Memory.putLong(how + 16, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        long result;
        int attempt = 0;
        do {
            // EAGAIN: a rename somewhere in the system, which the kernel could not prove harmless.
            result = Libc.syscall(Machine.SYS_OPENAT2, directory.number(), address, how, HOW_BYTES, 0, 0);
        } while (result == -Errno.EAGAIN && ++attempt < ATTEMPTS);
        if (result < 0) {
            String what = whole.length == 0 ? shown : Names.show(whole) + " beneath " + shown;
            throw new SystemCallException("open", what, (int) -result);
        }
        return new Descriptor((int) result);
    }

    private static int lastSlash(byte[] path, int from, int end) throws SystemCallException {
        for (int i = end - 1; i > from; i--) {
            if (path[i] == '/') {
                return i;
            }
        }
        throw new SystemCallException("open", Names.show(path), Errno.ENAMETOOLONG);
    }

    @Override
    public void close() {
        if (owned) {
            root.close();
        }
    }

    @Override
    public String toString() {
        return shown;
    }
}
