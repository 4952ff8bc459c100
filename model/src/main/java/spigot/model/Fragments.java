package spigot.model;

/** The unit in which files are cached and leased. Data move in any range that is a multiple of a block. */
public final class Fragments {
    /** Unit of checksums, of the fetched ranges and of the kernel's pages. */
    public static final int BLOCK_BYTES = 4096;

    public static final int DEFAULT_BYTES = 1 << 20;
    public static final int MIN_BYTES = BLOCK_BYTES;
    public static final int MAX_BYTES = 4 << 20;

    private Fragments() {}

    /** @throws IllegalArgumentException when it is not a power of two from 4 KiB to 4 MiB */
    public static int check(int fragmentBytes) {
        if (fragmentBytes < MIN_BYTES || fragmentBytes > MAX_BYTES || Integer.bitCount(fragmentBytes) != 1) {
            throw new IllegalArgumentException(
                    "a fragment is a power of two from 4 KiB to 4 MiB, not " + fragmentBytes + " bytes");
        }
        return fragmentBytes;
    }
}
