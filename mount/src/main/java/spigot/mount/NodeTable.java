package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileName;

/**
 * The inodes that the kernel knows: node id, file id, lookup count, the name under which each was seen last, and which of
 * its caches the kernel may have filled. Safe for any thread; every method holds one lock for less than a microsecond, but
 * {@link #takeLeasedChildren}, which takes as long as the directory is large.
 *
 * <p>A node id is a slot of this table in its lower and the slot's generation in its upper half, so that an id is never
 * used for two files. It is bounded by the kernel, which forgets the inodes it has no memory for: about 60 bytes a node
 * in columns, the name's array, and 8 bytes in the hash table.
 *
 * <p>Nodes of the same directory are chained, to be found when the directory's lease is recalled. A directory that the
 * kernel has forgotten stays while there are nodes in its chain.
 */
final class NodeTable {
    /** FUSE_ROOT_ID of {@code <linux/fuse.h>}. */
    static final long ROOT = 1;

    private static final int CHUNK_BITS = 12;
    private static final int CHUNK = 1 << CHUNK_BITS;
    private static final int NONE = 0;
    private static final int MAX_SLOTS = 1 << 30;

    /** The kernel may hold the node's attributes for long. */
    private static final byte ATTRIBUTES = 1;

    /** The kernel may hold names or absent names of the directory for long. */
    private static final byte NAMES = 2;

    /** Where a node was seen last. */
    record Place(FileId directory, FileName name) {}

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private Chunk[] chunks = {new Chunk()};

    /** Open addressing with linear probing; holds slots, 0 for an empty place. */
    @GuardedBy("lock")
    private int[] index = new int[1024];

    @GuardedBy("lock")
    private int used;

    @GuardedBy("lock")
    private int firstFree = NONE;

    /** The first slot that was never used; slot 0 stands for "none". */
    @GuardedBy("lock")
    private int firstFresh = 1;

    NodeTable() {
        lock.lock();
        try {
            int root = insert(FileId.ROOT);
            chunk(root).lookups[at(root)] = 1;
        } finally {
            lock.unlock();
        }
    }

    /** One row per slot, in columns. */
    private static final class Chunk {
        final long[] high = new long[CHUNK];
        final long[] low = new long[CHUNK];
        final long[] lookups = new long[CHUNK];
        final int[] generation = new int[CHUNK];
        final int[] parent = new int[CHUNK];
        final int[] previous = new int[CHUNK];
        /** In the chain of the directory, or in the chain of free slots. */
        final int[] next = new int[CHUNK];

        final int[] firstChild = new int[CHUNK];
        final int[] listing = new int[CHUNK];
        final byte[] given = new byte[CHUNK];
        final byte[] @Nullable [] name = new byte[CHUNK][];
    }

    /**
     * Counts one lookup of a file that a name led to, and remembers the name.
     *
     * @param leased whether the kernel may keep the attributes that go with the answer until the directory is dropped
     * @return the node id
     */
    long lookedUp(FileId file, FileId directory, byte[] name, boolean leased) {
        lock.lock();
        try {
            int parent = find(directory);
            int slot = find(file);
            if (slot == NONE) {
                slot = insert(file);
            }
            Chunk chunk = chunk(slot);
            int row = at(slot);
            chunk.lookups[row]++;
            // A file with names in several directories stays in the chain of one whose lease covers its attributes.
            if (parent != NONE && slot != ROOT && (leased || (chunk.given[row] & ATTRIBUTES) == 0)) {
                chain(slot, parent);
                chunk.name[row] = name;
                if (leased) {
                    chunk.given[row] |= ATTRIBUTES;
                }
            }
            return id(slot);
        } finally {
            lock.unlock();
        }
    }

    /** The kernel gives lookups back; with the last one it forgets the node. An unknown node is ignored. */
    void forget(long node, long lookups) {
        lock.lock();
        try {
            int slot = slot(node);
            if (slot == NONE || slot == ROOT) {
                return;
            }
            Chunk chunk = chunk(slot);
            int row = at(slot);
            chunk.lookups[row] = Math.max(0, chunk.lookups[row] - lookups);
            if (chunk.lookups[row] == 0) {
                chunk.given[row] = 0;
                chunk.listing[row] = 0;
                removeUnused(slot);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The file of a node, or null when the kernel has forgotten it. */
    @Nullable
    FileId file(long node) {
        lock.lock();
        try {
            int slot = slot(node);
            return slot == NONE ? null : fileAt(slot);
        } finally {
            lock.unlock();
        }
    }

    /** The node of a file, or 0 when the kernel does not know it. */
    long node(FileId file) {
        lock.lock();
        try {
            int slot = find(file);
            return slot == NONE ? 0 : id(slot);
        } finally {
            lock.unlock();
        }
    }

    /** Where the node was seen last; null for the root and for an unknown node. */
    @Nullable
    Place place(long node) {
        lock.lock();
        try {
            int slot = slot(node);
            if (slot == NONE) {
                return null;
            }
            int parent = chunk(slot).parent[at(slot)];
            byte[] name = chunk(slot).name[at(slot)];
            return parent == NONE || name == null ? null : new Place(fileAt(parent), FileName.of(name));
        } finally {
            lock.unlock();
        }
    }

    /** The kernel gets attributes that it may keep until the directory of {@link #place} is dropped. */
    void attributesGiven(long node) {
        give(node, ATTRIBUTES);
    }

    /** The kernel gets names, or the absence of names, that it may keep until the directory is dropped. */
    void namesGiven(long directory) {
        give(directory, NAMES);
    }

    private void give(long node, byte flag) {
        lock.lock();
        try {
            int slot = slot(node);
            if (slot != NONE) {
                chunk(slot).given[at(slot)] |= flag;
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * The kernel is about to keep this listing of the directory (FOPEN_CACHE_DIR).
     *
     * @param serial of the listing, not 0
     * @return whether it is the one that the kernel was given last
     */
    boolean listingGiven(long directory, int serial) {
        lock.lock();
        try {
            int slot = slot(directory);
            if (slot == NONE) {
                return false;
            }
            Chunk chunk = chunk(slot);
            int row = at(slot);
            boolean same = chunk.listing[row] == serial;
            chunk.listing[row] = serial;
            return same;
        } finally {
            lock.unlock();
        }
    }

    /** What the kernel may hold of a directory. */
    record Given(long node, boolean names, boolean listing, boolean attributes) {}

    /** What the kernel may hold of a directory, forgotten by this call; null when it does not know the directory. */
    @Nullable
    Given takeGiven(FileId directory) {
        lock.lock();
        try {
            int slot = find(directory);
            if (slot == NONE) {
                return null;
            }
            Chunk chunk = chunk(slot);
            int row = at(slot);
            byte flags = chunk.given[row];
            Given given = new Given(id(slot), (flags & NAMES) != 0, chunk.listing[row] != 0, (flags & ATTRIBUTES) != 0);
            chunk.given[row] = 0;
            chunk.listing[row] = 0;
            return given;
        } finally {
            lock.unlock();
        }
    }

    /** The nodes of a directory of which the kernel may hold the attributes; forgotten by this call. */
    long[] takeLeasedChildren(FileId directory) {
        lock.lock();
        try {
            int parent = find(directory);
            if (parent == NONE) {
                return new long[0];
            }
            long[] nodes = new long[16];
            int count = 0;
            for (int child = chunk(parent).firstChild[at(parent)];
                    child != NONE;
                    child = chunk(child).next[at(child)]) {
                if ((chunk(child).given[at(child)] & ATTRIBUTES) != 0) {
                    chunk(child).given[at(child)] &= ~ATTRIBUTES;
                    if (count == nodes.length) {
                        nodes = Arrays.copyOf(nodes, count * 2);
                    }
                    nodes[count++] = id(child);
                }
            }
            return Arrays.copyOf(nodes, count);
        } finally {
            lock.unlock();
        }
    }

    /** How many nodes there are, with the root. */
    int size() {
        lock.lock();
        try {
            return used;
        } finally {
            lock.unlock();
        }
    }

    // ---- slots ----

    @GuardedBy("lock")
    private Chunk chunk(int slot) {
        return chunks[slot >>> CHUNK_BITS];
    }

    private static int at(int slot) {
        return slot & (CHUNK - 1);
    }

    @GuardedBy("lock")
    private long id(int slot) {
        return (long) chunk(slot).generation[at(slot)] << 32 | slot;
    }

    /** The slot of a node id; NONE when the node is forgotten, or was never given out. */
    @GuardedBy("lock")
    private int slot(long node) {
        int slot = (int) node;
        boolean known = slot > NONE
                && slot < firstFresh
                && chunk(slot).generation[at(slot)] == (int) (node >>> 32)
                && (chunk(slot).lookups[at(slot)] > 0 || chunk(slot).firstChild[at(slot)] != NONE);
        return known ? slot : NONE;
    }

    @GuardedBy("lock")
    private FileId fileAt(int slot) {
        return new FileId(chunk(slot).high[at(slot)], chunk(slot).low[at(slot)]);
    }

    @GuardedBy("lock")
    private int insert(FileId file) {
        int slot = firstFree;
        if (slot != NONE) {
            firstFree = chunk(slot).next[at(slot)];
        } else {
            slot = firstFresh;
            if (slot == MAX_SLOTS) {
                throw new IllegalStateException("the kernel holds more than " + MAX_SLOTS + " inodes of this mount");
            }
            firstFresh++;
            if (slot >>> CHUNK_BITS == chunks.length) {
                chunks = Arrays.copyOf(chunks, chunks.length + 1);
                chunks[chunks.length - 1] = new Chunk();
            }
        }
        Chunk chunk = chunk(slot);
        int row = at(slot);
        chunk.high[row] = file.high();
        chunk.low[row] = file.low();
        chunk.next[row] = NONE;
        used++;
        if (used * 2 > index.length) {
            grow();
        }
        place(slot);
        return slot;
    }

    /** Frees a slot that the kernel does not know and that has no children, and then perhaps its directory. */
    @GuardedBy("lock")
    private void removeUnused(int first) {
        int slot = first;
        while (slot != NONE
                && slot != ROOT
                && chunk(slot).lookups[at(slot)] == 0
                && chunk(slot).firstChild[at(slot)] == NONE) {
            int parent = chunk(slot).parent[at(slot)];
            unchain(slot);
            remove(slot);
            slot = parent;
        }
    }

    @GuardedBy("lock")
    private void remove(int slot) {
        erase(slot);
        Chunk chunk = chunk(slot);
        int row = at(slot);
        chunk.generation[row]++;
        chunk.name[row] = null;
        chunk.given[row] = 0;
        chunk.listing[row] = 0;
        chunk.next[row] = firstFree;
        firstFree = slot;
        used--;
    }

    // ---- the chain of a directory's nodes ----

    @GuardedBy("lock")
    private void chain(int slot, int parent) {
        int old = chunk(slot).parent[at(slot)];
        if (old == parent || slot == parent) {
            return;
        }
        unchain(slot);
        int first = chunk(parent).firstChild[at(parent)];
        chunk(slot).parent[at(slot)] = parent;
        chunk(slot).next[at(slot)] = first;
        if (first != NONE) {
            chunk(first).previous[at(first)] = slot;
        }
        chunk(parent).firstChild[at(parent)] = slot;
        removeUnused(old);
    }

    @GuardedBy("lock")
    private void unchain(int slot) {
        Chunk chunk = chunk(slot);
        int row = at(slot);
        int parent = chunk.parent[row];
        if (parent == NONE) {
            return;
        }
        int previous = chunk.previous[row];
        int next = chunk.next[row];
        if (previous != NONE) {
            chunk(previous).next[at(previous)] = next;
        } else {
            chunk(parent).firstChild[at(parent)] = next;
        }
        if (next != NONE) {
            chunk(next).previous[at(next)] = previous;
        }
        chunk.parent[row] = NONE;
        chunk.previous[row] = NONE;
        chunk.next[row] = NONE;
    }

    // ---- the hash table ----

    private static int hash(long high, long low) {
        long mixed = (high ^ Long.rotateLeft(low, 31)) * 0x9e3779b97f4a7c15L;
        return (int) (mixed >>> 32);
    }

    @GuardedBy("lock")
    private int ideal(int slot) {
        return hash(chunk(slot).high[at(slot)], chunk(slot).low[at(slot)]) & (index.length - 1);
    }

    @GuardedBy("lock")
    private int find(FileId file) {
        int mask = index.length - 1;
        for (int i = hash(file.high(), file.low()) & mask; index[i] != NONE; i = (i + 1) & mask) {
            int slot = index[i];
            if (chunk(slot).high[at(slot)] == file.high() && chunk(slot).low[at(slot)] == file.low()) {
                return slot;
            }
        }
        return NONE;
    }

    @GuardedBy("lock")
    private void place(int slot) {
        int mask = index.length - 1;
        int i = ideal(slot);
        while (index[i] != NONE) {
            i = (i + 1) & mask;
        }
        index[i] = slot;
    }

    @GuardedBy("lock")
    private void grow() {
        int[] old = index;
        index = new int[old.length * 2];
        for (int slot : old) {
            if (slot != NONE) {
                place(slot);
            }
        }
    }

    /** Removal by moving later entries of the same run back (Knuth, TAOCP 3, 6.4, algorithm R): no tombstones. */
    @GuardedBy("lock")
    private void erase(int slot) {
        int mask = index.length - 1;
        int hole = ideal(slot);
        while (index[hole] != slot) {
            hole = (hole + 1) & mask;
        }
        for (int i = (hole + 1) & mask; index[i] != NONE; i = (i + 1) & mask) {
            int distance = (i - ideal(index[i])) & mask;
            if (distance >= ((i - hole) & mask)) {
                index[hole] = index[i];
                hole = i;
            }
        }
        index[hole] = NONE;
    }
}
