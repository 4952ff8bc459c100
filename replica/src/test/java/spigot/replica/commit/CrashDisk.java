package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Fingerprint;

/**
 * A model of a disk with a page cache and a power switch; not a stand-in for a class of ours. What was not made durable before the
 * power is cut survives or not, each sector of 512 bytes, each size, each name and each time for itself, as the random source says. A
 * sync that fails drops what it should have written and calls it clean, as Linux does. Of several unsynced writes to one sector the
 * last one survives or none.
 */
final class CrashDisk implements Store {
    static final int SECTOR_BYTES = 512;

    private final RandomGenerator random;
    private final Map<String, Node> names = new TreeMap<>();
    private final Map<String, Node> durableNames = new TreeMap<>();
    private long ticks = 1_000;
    private long nodes;
    private long capacity = Long.MAX_VALUE;
    private long operationsLeft = Long.MAX_VALUE;
    private boolean cut;
    private int syncsThatFail;
    private @Nullable Hook hook;

    /** Called before each operation, with no lock held by the disk. */
    interface Hook {
        void before(String operation, String file) throws IOException;
    }

    /** The power is gone. */
    static final class PowerCut extends IOException {
        PowerCut() {
            super("the power was cut");
        }
    }

    private static final class Node {
        final long number;
        byte[] bytes = new byte[0];
        byte[] durable = new byte[0];
        int size;
        int durableSize;
        boolean sizeDirty;
        long modified;
        long durableModified;
        long changed;
        long durableChanged;
        final BitSet dirty = new BitSet();

        Node(long number) {
            this.number = number;
        }
    }

    CrashDisk(RandomGenerator random) {
        this.random = random;
    }

    void hook(@Nullable Hook newHook) {
        hook = newHook;
    }

    void cutAfter(long operations) {
        operationsLeft = operations;
    }

    boolean isCut() {
        return cut;
    }

    void capacity(long bytes) {
        capacity = bytes;
    }

    void failSyncs(int count) {
        syncsThatFail = count;
    }

    PublishedFiles published() {
        return id -> open(name(id));
    }

    static String name(FileId id) {
        return "file-" + id.low();
    }

    /** What is there when the power comes back. */
    synchronized CrashDisk afterCrash() {
        cut = true;
        CrashDisk next = new CrashDisk(random);
        next.ticks = ticks + 1_000;
        next.nodes = nodes;
        int mood = random.nextInt(4);
        TreeSet<String> all = new TreeSet<>(names.keySet());
        all.addAll(durableNames.keySet());
        Map<Node, Node> copies = new java.util.IdentityHashMap<>();
        for (String name : all) {
            Node now = names.get(name);
            Node before = durableNames.get(name);
            Node survivor = now == before || survives(mood) ? now : before;
            if (survivor != null) {
                Node copy = copies.computeIfAbsent(survivor, node -> survivor(node, mood));
                next.names.put(name, copy);
                next.durableNames.put(name, copy);
            }
        }
        return next;
    }

    private boolean survives(int mood) {
        return switch (mood) {
            case 0 -> false;
            case 1 -> true;
            default -> random.nextBoolean();
        };
    }

    private Node survivor(Node node, int mood) {
        Node copy = new Node(node.number);
        int size = node.durableSize;
        if (node.sizeDirty && survives(mood)) {
            size = node.size > node.durableSize && random.nextInt(3) == 0
                    ? random.nextInt(node.durableSize, node.size + 1)
                    : node.size;
        }
        byte[] bytes = Arrays.copyOf(node.durable, Math.max(node.durable.length, node.bytes.length));
        for (int sector = node.dirty.nextSetBit(0); sector >= 0; sector = node.dirty.nextSetBit(sector + 1)) {
            if (survives(mood)) {
                int from = sector * SECTOR_BYTES;
                int end = Math.min(from + SECTOR_BYTES, node.bytes.length);
                if (from < end) {
                    System.arraycopy(node.bytes, from, bytes, from, end - from);
                }
            }
        }
        bytes = Arrays.copyOf(bytes, size);
        copy.bytes = bytes;
        copy.durable = bytes.clone();
        copy.size = size;
        copy.durableSize = size;
        boolean times = survives(mood);
        copy.modified = times ? node.modified : node.durableModified;
        copy.changed = times ? node.changed : node.durableChanged;
        copy.durableModified = copy.modified;
        copy.durableChanged = copy.changed;
        return copy;
    }

    private void before(String operation, String file) throws IOException {
        Hook now = hook;
        if (now != null) {
            now.before(operation, file);
        }
        synchronized (this) {
            if (cut) {
                throw new PowerCut();
            }
        }
    }

    /** @return whether this operation is the one in which the power goes */
    private boolean isLast() {
        if (operationsLeft-- <= 0) {
            cut = true;
        }
        return cut;
    }

    private void count() throws PowerCut {
        if (isLast()) {
            throw new PowerCut();
        }
    }

    @Override
    public String name() {
        return "a model of a disk";
    }

    @Override
    public synchronized List<String> list() {
        return new ArrayList<>(names.keySet());
    }

    @Override
    public StoredFile create(String name) throws IOException {
        before("create", name);
        synchronized (this) {
            count();
            Node node = names.computeIfAbsent(name, _ -> new Node(++nodes));
            resize(node, 0);
            return new OpenNode(name, node);
        }
    }

    @Override
    public StoredFile open(String name) throws IOException {
        before("open", name);
        synchronized (this) {
            Node node = names.get(name);
            if (node == null) {
                throw new SystemCallException("open", name, Errno.ENOENT);
            }
            return new OpenNode(name, node);
        }
    }

    @Override
    public void delete(String name) throws IOException {
        before("delete", name);
        synchronized (this) {
            count();
            names.remove(name);
        }
    }

    @Override
    public void syncNames() throws IOException {
        before("syncNames", "");
        synchronized (this) {
            count();
            durableNames.clear();
            durableNames.putAll(names);
        }
    }

    /** For tests that damage a file: its bytes as they are, which can be changed. */
    synchronized byte[] bytes(String name) {
        Node node = names.get(name);
        if (node == null) {
            throw new IllegalArgumentException(name);
        }
        return node.bytes;
    }

    /** Makes a durable file with this content. */
    synchronized void put(String name, byte[] content) {
        Node node = names.computeIfAbsent(name, _ -> new Node(++nodes));
        durableNames.put(name, node);
        node.bytes = content.clone();
        node.size = content.length;
        node.modified = ++ticks;
        node.changed = ticks;
        markDirty(node, 0, content.length);
        makeDurable(node, true);
    }

    private void makeDurable(Node node, boolean times) {
        int length = Math.max(node.durable.length, node.bytes.length);
        node.durable = Arrays.copyOf(node.durable, length);
        for (int sector = node.dirty.nextSetBit(0); sector >= 0; sector = node.dirty.nextSetBit(sector + 1)) {
            copySector(node, sector);
        }
        node.dirty.clear();
        node.durableSize = node.size;
        node.sizeDirty = false;
        if (times) {
            node.durableModified = node.modified;
            node.durableChanged = node.changed;
        }
    }

    private static void copySector(Node node, int sector) {
        int from = sector * SECTOR_BYTES;
        int end = Math.min(from + SECTOR_BYTES, node.bytes.length);
        if (from < end) {
            System.arraycopy(node.bytes, from, node.durable, from, end - from);
        }
    }

    private void resize(Node node, int size) {
        if (size == node.size) {
            return;
        }
        int from = Math.min(size, node.size);
        if (node.bytes.length < size) {
            node.bytes = Arrays.copyOf(node.bytes, Math.max(size, Math.min(node.bytes.length * 2, 1 << 22)));
        }
        int to = Math.max(size, node.size);
        Arrays.fill(node.bytes, from, to, (byte) 0);
        markDirty(node, from, to);
        node.size = size;
        node.sizeDirty = true;
        node.modified = ++ticks;
        node.changed = ticks;
    }

    private static void markDirty(Node node, int from, int to) {
        if (from < to) {
            node.dirty.set(from / SECTOR_BYTES, (to - 1) / SECTOR_BYTES + 1);
        }
    }

    private long used() {
        return names.values().stream().mapToLong(node -> node.size).sum();
    }

    private final class OpenNode implements StoredFile {
        private final String name;
        private final Node node;
        private volatile boolean closed;

        OpenNode(String name, Node node) {
            this.name = name;
            this.node = node;
        }

        private void beforeUse(String operation) throws IOException {
            before(operation, name);
            if (closed) {
                throw new IllegalStateException(name + " is closed");
            }
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            beforeUse("write");
            synchronized (CrashDisk.this) {
                boolean last = isLast();
                int count = last ? random.nextInt(from.remaining() + 1) : from.remaining();
                int at = Math.toIntExact(position);
                long room = capacity - used() + node.size;
                boolean full = at + count > Math.max(room, node.size);
                if (full) {
                    count = (int) Math.clamp(room - at, 0, count);
                }
                if (at + count > node.size && count > 0) {
                    resize(node, at + count);
                }
                from.get(node.bytes, at, count);
                markDirty(node, at, at + count);
                node.modified = ++ticks;
                node.changed = ticks;
                if (last) {
                    throw new PowerCut();
                }
                if (full) {
                    throw new SystemCallException("write to", name, Errno.ENOSPC);
                }
            }
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            beforeUse("read");
            synchronized (CrashDisk.this) {
                int count = (int) Math.clamp(node.size - position, 0, into.remaining());
                if (count > 0) {
                    into.put(node.bytes, (int) position, count);
                }
                return count;
            }
        }

        @Override
        public long size() throws IOException {
            beforeUse("size");
            synchronized (CrashDisk.this) {
                return node.size;
            }
        }

        @Override
        public void setSize(long bytes) throws IOException {
            beforeUse("setSize");
            synchronized (CrashDisk.this) {
                count();
                resize(node, Math.toIntExact(bytes));
            }
        }

        @Override
        public void punch(long offset, long bytes) throws IOException {
            beforeUse("punch");
            synchronized (CrashDisk.this) {
                count();
                int end = (int) Math.min(node.size, offset + bytes);
                if (offset < end) {
                    Arrays.fill(node.bytes, (int) offset, end, (byte) 0);
                    markDirty(node, (int) offset, end);
                }
                node.modified = ++ticks;
                node.changed = ticks;
            }
        }

        @Override
        public void setModified(long nanos) throws IOException {
            beforeUse("setModified");
            synchronized (CrashDisk.this) {
                count();
                node.modified = nanos;
                node.changed = ++ticks;
            }
        }

        @Override
        public Fingerprint fingerprint() throws IOException {
            beforeUse("fingerprint");
            synchronized (CrashDisk.this) {
                return new Fingerprint(1, node.number, node.size, node.modified, node.changed, 7);
            }
        }

        @Override
        public void syncData() throws IOException {
            sync(false);
        }

        @Override
        public void syncAll() throws IOException {
            sync(true);
        }

        private void sync(boolean times) throws IOException {
            beforeUse("sync");
            synchronized (CrashDisk.this) {
                count();
                if (syncsThatFail > 0) {
                    syncsThatFail--;
                    node.dirty.clear();
                    node.sizeDirty = false;
                    throw new SystemCallException("fdatasync", name, Errno.EIO);
                }
                makeDurable(node, times);
            }
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
