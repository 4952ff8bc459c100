package spigot.cache.live;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import spigot.model.Version;

/**
 * The map of a file in the journal: a head of 4 KiB, then an entry for each block, which is zeros unless the block is dirty. An entry is
 * written at once and never lies in two pages. All numbers are big-endian.
 *
 * <pre>
 * head:  0 "spigot live 1\n\0\0" (16)   16 boot id (36)   64 entry of the attributes, with the size in place of valid   4096
 * entry: 0 state (4)  4 valid (4)  8 epoch (8)  16 index (8)  24 size or modified nanos (8)
 * </pre>
 */
final class JournalLayout {
    static final int ENTRY_BYTES = 32;
    static final int HEAD_BYTES = 4096;
    static final long ATTRIBUTES_AT = 64;
    static final int CLEAN = 0;
    static final int DIRTY = 1;

    /** As {@link #DIRTY}, with a size that is exact and not only a least one. */
    static final int DIRTY_EXACT = 2;

    private static final byte[] MAGIC = "spigot live 1\n\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int BOOT_AT = 16;
    private static final int BOOT_BYTES = 36;

    private JournalLayout() {}

    static long entryAt(long block) {
        return HEAD_BYTES + block * ENTRY_BYTES;
    }

    static void head(ByteBuffer into, String boot) {
        into.clear().limit(BOOT_AT + BOOT_BYTES);
        into.put(MAGIC)
                .put(boot.getBytes(StandardCharsets.US_ASCII), 0, BOOT_BYTES)
                .flip();
    }

    static boolean isHead(ByteBuffer head) {
        byte[] magic = new byte[MAGIC.length];
        head.get(0, magic);
        return java.util.Arrays.equals(magic, MAGIC);
    }

    /** Whether it was written since the machine has started: only then all that was written is there. */
    static boolean isOfBoot(ByteBuffer head, String boot) {
        byte[] written = new byte[BOOT_BYTES];
        head.get(BOOT_AT, written);
        return new String(written, StandardCharsets.US_ASCII).equals(boot);
    }

    static void entry(ByteBuffer into, int state, int valid, Version right, long value) {
        into.clear();
        into.putInt(state)
                .putInt(valid)
                .putLong(right.epoch())
                .putLong(right.index())
                .putLong(value)
                .flip();
    }

    static int state(ByteBuffer entry, int at) {
        return entry.getInt(at);
    }

    static int valid(ByteBuffer entry, int at) {
        return entry.getInt(at + 4);
    }

    static Version right(ByteBuffer entry, int at) {
        return new Version(entry.getLong(at + 8), entry.getLong(at + 16));
    }

    static long value(ByteBuffer entry, int at) {
        return entry.getLong(at + 24);
    }
}
