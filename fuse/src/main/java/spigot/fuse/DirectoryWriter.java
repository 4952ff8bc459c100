package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The names of an answer to {@link ReaddirRequest}, as many as fit; one thread. */
public final class DirectoryWriter {
    private MemorySegment memory = MemorySegment.NULL;
    private long start;
    private int capacity;
    private int bytes;
    private boolean plus;

    DirectoryWriter() {}

    void start(MemorySegment target, long at, int limit, boolean withEntries) {
        memory = target;
        start = at;
        capacity = limit;
        bytes = 0;
        plus = withEntries;
    }

    int bytes() {
        return bytes;
    }

    /**
     * Adds a name without its entry; to READDIRPLUS too (the kernel asks by LOOKUP then), for "." and ".." always.
     *
     * @param mode of which only the file type counts
     * @param nextOffset the position after this name, not 0: where a later request goes on
     * @return false when it does not fit: reply, and let the kernel ask on
     */
    public boolean add(byte[] name, long inode, int mode, long nextOffset) {
        int head = plus ? Layout.ENTRY_OUT_BYTES : 0;
        if (!fits(head, name)) {
            return false;
        }
        if (plus) {
            memory.asSlice(start + bytes, Layout.ENTRY_OUT_BYTES).fill((byte) 0);
        }
        put(head, name, inode, mode, nextOffset);
        return true;
    }

    /**
     * Adds a name with its entry. To READDIRPLUS it counts as one lookup of the node, once the reply has returned true; to READDIR the name is added
     * only.
     *
     * @return as {@link #add(byte[], long, int, long)}
     */
    public boolean add(byte[] name, Entry entry, long nextOffset) {
        int head = plus ? Layout.ENTRY_OUT_BYTES : 0;
        if (!fits(head, name)) {
            return false;
        }
        if (plus) {
            entry.write(memory, start + bytes);
        }
        put(head, name, entry.attributes.inode, entry.attributes.mode, nextOffset);
        return true;
    }

    private boolean fits(int head, byte[] name) {
        return bytes + head + padded(Layout.DIRENT_BYTES + name.length) <= capacity;
    }

    private void put(int head, byte[] name, long inode, int mode, long nextOffset) {
        long at = start + bytes + head;
        int size = Layout.DIRENT_BYTES + name.length;
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.DIRENT_INODE, inode);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.DIRENT_OFFSET, nextOffset);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.DIRENT_NAME_LENGTH, name.length);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.DIRENT_TYPE, mode >>> 12 & 15);
        MemorySegment.copy(name, 0, memory, JAVA_BYTE, at + Layout.DIRENT_BYTES, name.length);
        for (int i = size; i < padded(size); i++) {
            memory.set(JAVA_BYTE, at + i, (byte) 0);
        }
        bytes += head + padded(size);
    }

    private static int padded(int bytes) {
        return bytes + 7 & ~7;
    }
}
