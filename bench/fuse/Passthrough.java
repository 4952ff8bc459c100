import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import spigot.fuse.CreateRequest;
import spigot.fuse.Entry;
import spigot.fuse.FileSystem;
import spigot.fuse.FlushRequest;
import spigot.fuse.FuseMount;
import spigot.fuse.FuseSession;
import spigot.fuse.GetattrRequest;
import spigot.fuse.LookupRequest;
import spigot.fuse.MkdirRequest;
import spigot.fuse.MountOptions;
import spigot.fuse.Name;
import spigot.fuse.NodeAttributes;
import spigot.fuse.OpenFlags;
import spigot.fuse.OpenRequest;
import spigot.fuse.ReadRequest;
import spigot.fuse.ReleaseRequest;
import spigot.fuse.RemoveRequest;
import spigot.fuse.SetattrRequest;
import spigot.fuse.WriteRequest;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Memory;
import spigot.linux.SystemCallException;

/**
 * A directory shown through the fuse module, to be measured beside passthrough.c, with the same design: a node is an O_PATH descriptor, found again by
 * (device, inode); every request is answered by the worker that read it. Usage: Passthrough SOURCE MOUNTPOINT [WORKERS]. Ends when it is unmounted.
 */
public final class Passthrough implements FileSystem {
    private static final long VALID_NANOS = 1_000_000_000;
    private static final int STATX_BYTES = 256;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int BASIC = 0x7ff;
    private static final int AT_REMOVEDIR = 0x200;
    private static final long SYS_MKDIRAT = 258;
    private static final long SYS_UNLINKAT = 263;
    private static final long SYS_FTRUNCATE = 77;

    private record Key(int major, int minor, long inode) {}

    private static final class Node {
        final Key key;
        final int descriptor;
        long lookups;

        Node(Key key, int descriptor) {
            this.key = key;
            this.descriptor = descriptor;
        }
    }

    /** Per thread: a struct statx, then room for a path. */
    private static final ThreadLocal<Long> SCRATCH =
            ThreadLocal.withInitial(() -> Memory.allocate(Arena.global(), STATX_BYTES + 4096, 16));

    private static final long NOTHING = Memory.allocate(Arena.global(), 8, 8);

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Key, Node> byKey = new HashMap<>(); // guarded by lock
    private final ConcurrentHashMap<Long, Node> byId = new ConcurrentHashMap<>(); // the id is the descriptor

    private final int root;

    private Passthrough(String source) throws SystemCallException {
        root = checked("open", Libc.open(source, Machine.O_PATH, 0));
    }

    public static void main(String[] arguments) throws Exception {
        int workers = arguments.length > 2 ? Integer.parseInt(arguments[2]) : MountOptions.defaults().workers();
        MountOptions options = MountOptions.defaults().withWorkers(workers);
        FuseSession session = FuseMount.mount(Path.of(arguments[1]), options, new Passthrough(arguments[0]));
        System.out.println("mounted");
        session.await();
        session.close();
    }

    private static int checked(String call, long result) throws SystemCallException {
        if (result < 0) {
            throw new SystemCallException(call, "passthrough", (int) -result);
        }
        return (int) result;
    }

    private int descriptor(long nodeId) {
        return nodeId == 1 ? root : (int) nodeId;
    }

    private static long path(Name name) {
        long path = SCRATCH.get() + STATX_BYTES;
        for (int i = 0; i < name.length(); i++) {
            Memory.putByte(path + i, name.byteAt(i));
        }
        Memory.putByte(path + name.length(), 0);
        return path;
    }

    private static long statx(int descriptor) throws SystemCallException {
        long struct = SCRATCH.get();
        checked(
                "statx",
                Libc.syscall(
                        Machine.SYS_STATX, descriptor, NOTHING, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, BASIC, struct, 0));
        return struct;
    }

    private static void fill(NodeAttributes to, long statx) {
        to.inode = Memory.getLong(statx + 32);
        to.size = Memory.getLong(statx + 40);
        to.blocks = Memory.getLong(statx + 48);
        to.accessSeconds = Memory.getLong(statx + 64);
        to.accessNanos = Memory.getInt(statx + 72);
        to.changeSeconds = Memory.getLong(statx + 96);
        to.changeNanos = Memory.getInt(statx + 104);
        to.modifySeconds = Memory.getLong(statx + 112);
        to.modifyNanos = Memory.getInt(statx + 120);
        to.mode = Memory.getShort(statx + 28);
        to.links = Memory.getInt(statx + 16);
        to.uid = Memory.getInt(statx + 20);
        to.gid = Memory.getInt(statx + 24);
        to.blockSize = Memory.getInt(statx + 4);
    }

    private Entry entry(Entry entry, long parent, long path) throws SystemCallException {
        int flags = Machine.O_PATH | Machine.O_NOFOLLOW | Machine.O_CLOEXEC;
        int opened = checked("openat", Libc.openat(descriptor(parent), path, flags, 0));
        long statx = statx(opened);
        Key key = new Key(Memory.getInt(statx + 136), Memory.getInt(statx + 140), Memory.getLong(statx + 32));
        int surplus = -1;
        Node node;
        lock.lock();
        try {
            node = byKey.get(key);
            if (node == null) {
                node = new Node(key, opened);
                byKey.put(key, node);
                byId.put((long) opened, node);
            } else {
                surplus = opened;
            }
            node.lookups++;
        } finally {
            lock.unlock();
        }
        if (surplus >= 0) {
            Libc.close(surplus);
        }
        entry.nodeId = node.descriptor;
        entry.entryValidNanos = VALID_NANOS;
        entry.attributesValidNanos = VALID_NANOS;
        fill(entry.attributes, statx);
        return entry;
    }

    @Override
    public void lookup(LookupRequest request) throws SystemCallException {
        request.reply(entry(request.entry(), request.nodeId(), path(request.name())));
    }

    @Override
    public void forget(long nodeId, long lookups) {
        lock.lock();
        try {
            Node node = byId.get(nodeId);
            if (node != null && (node.lookups -= lookups) <= 0) {
                byKey.remove(node.key);
                byId.remove(nodeId);
                Libc.close(node.descriptor);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void getattr(GetattrRequest request) throws SystemCallException {
        NodeAttributes attributes = request.attributes();
        fill(attributes, statx(descriptor(request.nodeId())));
        request.reply(attributes, VALID_NANOS);
    }

    @Override
    public void setattr(SetattrRequest request) throws SystemCallException {
        if (request.sets(SetattrRequest.SIZE)) {
            int opened = reopen(request.nodeId(), Machine.O_WRONLY);
            Libc.syscall(SYS_FTRUNCATE, opened, request.size(), 0, 0, 0, 0);
            Libc.close(opened);
        }
        NodeAttributes attributes = request.attributes();
        fill(attributes, statx(descriptor(request.nodeId())));
        request.reply(attributes, VALID_NANOS);
    }

    @Override
    public void mkdir(MkdirRequest request) throws SystemCallException {
        long path = path(request.name());
        checked("mkdirat", Libc.syscall(SYS_MKDIRAT, descriptor(request.nodeId()), path, request.mode(), 0, 0, 0));
        request.reply(entry(request.entry(), request.nodeId(), path));
    }

    @Override
    public void unlink(RemoveRequest request) throws SystemCallException {
        remove(request, 0);
    }

    @Override
    public void rmdir(RemoveRequest request) throws SystemCallException {
        remove(request, AT_REMOVEDIR);
    }

    private void remove(RemoveRequest request, int flags) throws SystemCallException {
        checked(
                "unlinkat",
                Libc.syscall(SYS_UNLINKAT, descriptor(request.nodeId()), path(request.name()), flags, 0, 0, 0));
        request.replyDone();
    }

    private int reopen(long nodeId, int flags) throws SystemCallException {
        return checked("open", Libc.open("/proc/self/fd/" + descriptor(nodeId), flags, 0));
    }

    @Override
    public void open(OpenRequest request) throws SystemCallException {
        request.reply(reopen(request.nodeId(), request.flags() & ~(Machine.O_NOFOLLOW | Machine.O_DIRECT)), OpenFlags.KEEP_CACHE);
    }

    @Override
    public void create(CreateRequest request) throws SystemCallException {
        long path = path(request.name());
        int flags = (request.flags() | Machine.O_CREAT | Machine.O_CLOEXEC) & ~(Machine.O_NOFOLLOW | Machine.O_DIRECT);
        int opened = checked("openat", Libc.openat(descriptor(request.nodeId()), path, flags, request.mode()));
        request.reply(entry(request.entry(), request.nodeId(), path), opened, OpenFlags.KEEP_CACHE);
    }

    @Override
    public void read(ReadRequest request) throws SystemCallException {
        int size = request.size();
        request.reply(checked(
                "pread",
                Libc.pread((int) request.handle(), request.buffer().address(), size, request.offset())));
    }

    @Override
    public void write(WriteRequest request) throws SystemCallException {
        request.reply(checked(
                "pwrite",
                Libc.pwrite(
                        (int) request.handle(), request.payload().address(), request.size(), request.offset())));
    }

    @Override
    public void flush(FlushRequest request) {
        request.replyDone();
    }

    @Override
    public void release(ReleaseRequest request) {
        Libc.close((int) request.handle());
        request.replyDone();
    }
}
