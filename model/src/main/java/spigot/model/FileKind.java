package spigot.model;

/** What an inode is; {@link #typeBits} are the S_IFMT bits of Linux ({@code <sys/stat.h>}). */
public enum FileKind {
    REGULAR(0100000),
    DIRECTORY(0040000),
    SYMLINK(0120000),
    FIFO(0010000),
    SOCKET(0140000),
    CHARACTER_DEVICE(0020000),
    BLOCK_DEVICE(0060000);

    private static final int FORMAT_MASK = 0170000;

    private final int typeBits;

    FileKind(int typeBits) {
        this.typeBits = typeBits;
    }

    public int typeBits() {
        return typeBits;
    }

    /** @throws IllegalArgumentException when the mode has no known type */
    public static FileKind ofMode(int mode) {
        for (FileKind kind : values()) {
            if (kind.typeBits == (mode & FORMAT_MASK)) {
                return kind;
            }
        }
        throw new IllegalArgumentException("mode " + Integer.toOctalString(mode) + " has no known file type");
    }
}
