package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/** A whole file system in memory, with every operation, for tests: one lock, nothing fast. Test classes override what should go wrong. */
class MemoryFileSystem implements FileSystem {
    static final int RENAME_FLAGS = RenameRequest.NOREPLACE | RenameRequest.EXCHANGE;

    final ReentrantLock lock = new ReentrantLock();
    final Map<Long, MemoryNode> nodes = new HashMap<>();
    final MemoryNode root = new MemoryNode(1, MemoryNode.DIRECTORY | 0755, 0, 0);
    volatile long entryValidNanos = Entry.FOREVER;
    volatile int openFlags = OpenFlags.KEEP_CACHE;
    private final Map<Long, List<String>> openDirectories = new HashMap<>();
    private long nextId = 2;
    private long nextHandle = 1;
    volatile boolean destroyed;

    MemoryFileSystem() {
        nodes.put(1L, root);
    }

    // ---- for tests ----

    MemoryNode addFile(String name, byte[] content) {
        return locked(() -> {
            MemoryNode node = make(root, name, MemoryNode.FILE | 0644, 0, 0);
            node.content = content.clone();
            node.size = content.length;
            return node;
        });
    }

    void setContent(MemoryNode node, byte[] content) {
        locked(() -> {
            node.content = content.clone();
            node.size = content.length;
            return node;
        });
    }

    /** The size of a file in the root; -1 when there is none. */
    int nodeSize(String name) {
        return locked(() -> {
            MemoryNode node = root.children.get(name);
            return node == null ? -1 : node.size;
        });
    }

    int nodeCount() {
        return locked(nodes::size);
    }

    private interface Action {
        void run() throws IOException;
    }

    <T> T locked(java.util.function.Supplier<T> body) {
        lock.lock();
        try {
            return body.get();
        } finally {
            lock.unlock();
        }
    }

    private void with(Action body) throws IOException {
        lock.lock();
        try {
            body.run();
        } finally {
            lock.unlock();
        }
    }

    // ---- nodes ----

    private static IOException error(int errno) {
        return new SystemCallException("test", "memory", errno);
    }

    private MemoryNode node(long id) throws IOException {
        MemoryNode node = nodes.get(id);
        if (node == null) {
            throw error(Errno.ESTALE);
        }
        return node;
    }

    private static String key(Name name) {
        return new String(name.bytes(), ISO_8859_1);
    }

    private MemoryNode child(long parent, Name name) throws IOException {
        MemoryNode node = node(parent).children.get(key(name));
        if (node == null) {
            throw error(Errno.ENOENT);
        }
        return node;
    }

    private MemoryNode make(MemoryNode parent, String name, int mode, int uid, int gid) {
        MemoryNode node = new MemoryNode(nextId++, mode, uid, gid);
        nodes.put(node.id, node);
        parent.children.put(name, node);
        if (node.isDirectory()) {
            parent.links++;
        }
        return node;
    }

    private MemoryNode makeNew(Request<?> request, Name name, int mode) throws IOException {
        if (name.length() > 255) { // the kernel lets up to 1024 bytes pass
            throw error(Errno.ENAMETOOLONG);
        }
        MemoryNode parent = node(request.nodeId());
        if (parent.children.containsKey(key(name))) {
            throw error(Errno.EEXIST);
        }
        return make(parent, key(name), mode, request.uid(), request.gid());
    }

    private Entry entry(Entry to, MemoryNode node) {
        to.nodeId = node.id;
        to.entryValidNanos = entryValidNanos;
        to.attributesValidNanos = entryValidNanos;
        node.fill(to.attributes);
        return to;
    }

    private void answer(EntryRequest<?> request, MemoryNode node) {
        node.lookups++; // before the answer, as a FORGET may come at once
        if (!request.reply(entry(request.entry(), node))) {
            forgetLocked(node.id, 1);
        }
    }

    private void dropIfUnused(MemoryNode node) {
        if (node.links <= 0 && node.lookups == 0) {
            nodes.remove(node.id);
        }
    }

    private void forgetLocked(long id, long count) {
        MemoryNode node = nodes.get(id);
        if (node != null) {
            node.lookups -= count;
            dropIfUnused(node);
        }
    }

    private void removeLink(MemoryNode parent, String name, MemoryNode node) {
        parent.children.remove(name);
        if (node.isDirectory()) {
            parent.links--;
            node.links = 0;
        } else {
            node.links--;
        }
        dropIfUnused(node);
    }

    // ---- operations ----

    @Override
    public void destroy() {
        destroyed = true;
    }

    @Override
    public void forget(long nodeId, long lookups) {
        lock.lock();
        try {
            forgetLocked(nodeId, lookups);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void lookup(LookupRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId()).children.get(key(request.name()));
            if (node == null) {
                request.replyAbsent(entryValidNanos);
            } else {
                answer(request, node);
            }
        });
    }

    @Override
    public void getattr(GetattrRequest request) throws IOException {
        with(() -> {
            NodeAttributes attributes = request.attributes();
            node(request.nodeId()).fill(attributes);
            request.reply(attributes, entryValidNanos);
        });
    }

    @Override
    public void setattr(SetattrRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            if (request.sets(SetattrRequest.MODE)) {
                node.mode = node.mode & MemoryNode.TYPE | request.mode() & 07777;
            }
            if (request.sets(SetattrRequest.UID)) {
                node.uid = request.newUid();
            }
            if (request.sets(SetattrRequest.GID)) {
                node.gid = request.newGid();
            }
            if (request.sets(SetattrRequest.SIZE)) {
                node.resize(Math.toIntExact(request.size()));
            }
            if (request.sets(SetattrRequest.MTIME)) {
                boolean now = request.sets(SetattrRequest.MTIME_NOW);
                node.modifySeconds = now ? System.currentTimeMillis() / 1000 : request.modifySeconds();
                node.modifyNanos = now ? 0 : request.modifyNanos();
            }
            if (request.sets(SetattrRequest.ATIME)) {
                boolean now = request.sets(SetattrRequest.ATIME_NOW);
                node.accessSeconds = now ? System.currentTimeMillis() / 1000 : request.accessSeconds();
                node.accessNanos = now ? 0 : request.accessNanos();
            }
            NodeAttributes attributes = request.attributes();
            node.fill(attributes);
            request.reply(attributes, entryValidNanos);
        });
    }

    @Override
    public void readlink(ReadlinkRequest request) throws IOException {
        with(() -> request.reply(node(request.nodeId()).target));
    }

    @Override
    public void symlink(SymlinkRequest request) throws IOException {
        with(() -> {
            MemoryNode node = makeNew(request, request.name(), MemoryNode.SYMLINK | 0777);
            node.target = request.target().bytes();
            answer(request, node);
        });
    }

    @Override
    public void mknod(MknodRequest request) throws IOException {
        with(() -> {
            MemoryNode node = makeNew(request, request.name(), request.mode());
            node.device = request.device();
            answer(request, node);
        });
    }

    @Override
    public void mkdir(MkdirRequest request) throws IOException {
        with(() -> answer(request, makeNew(request, request.name(), MemoryNode.DIRECTORY | request.mode() & 07777)));
    }

    @Override
    public void unlink(RemoveRequest request) throws IOException {
        with(() -> {
            removeLink(node(request.nodeId()), key(request.name()), child(request.nodeId(), request.name()));
            request.replyDone();
        });
    }

    @Override
    public void rmdir(RemoveRequest request) throws IOException {
        with(() -> {
            MemoryNode node = child(request.nodeId(), request.name());
            if (!node.children.isEmpty()) {
                throw error(Errno.ENOTEMPTY);
            }
            removeLink(node(request.nodeId()), key(request.name()), node);
            request.replyDone();
        });
    }

    @Override
    public void rename(RenameRequest request) throws IOException {
        with(() -> {
            MemoryNode from = node(request.nodeId());
            MemoryNode to = node(request.newDirectory());
            String oldName = key(request.name());
            String newName = key(request.newName());
            MemoryNode moved = child(request.nodeId(), request.name());
            MemoryNode replaced = to.children.get(newName);
            switch (request.flags()) {
                case RenameRequest.EXCHANGE -> {
                    if (replaced == null) {
                        throw error(Errno.ENOENT);
                    }
                    from.children.put(oldName, replaced);
                    to.children.put(newName, moved);
                }
                case 0, RenameRequest.NOREPLACE -> {
                    if (replaced != null && request.flags() != 0) {
                        throw error(Errno.EEXIST);
                    }
                    if (replaced != null && !replaced.children.isEmpty()) {
                        throw error(Errno.ENOTEMPTY);
                    }
                    if (replaced != null) {
                        removeLink(to, newName, replaced);
                    }
                    from.children.remove(oldName);
                    to.children.put(newName, moved);
                    if (moved.isDirectory()) {
                        from.links--;
                        to.links++;
                    }
                }
                default -> throw error(Errno.EINVAL);
            }
            request.replyDone();
        });
    }

    @Override
    public void link(LinkRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.oldNodeId());
            if (node(request.nodeId()).children.putIfAbsent(key(request.name()), node) != null) {
                throw error(Errno.EEXIST);
            }
            node.links++;
            answer(request, node);
        });
    }

    @Override
    public void open(OpenRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            if ((request.flags() & spigot.linux.Machine.O_TRUNC) != 0) {
                node.resize(0);
            }
            request.reply(nextHandle++, openFlags);
        });
    }

    @Override
    public void create(CreateRequest request) throws IOException {
        with(() -> {
            MemoryNode node = makeNew(request, request.name(), MemoryNode.FILE | request.mode() & 07777);
            node.lookups++;
            request.reply(entry(request.entry(), node), nextHandle++, openFlags);
        });
    }

    @Override
    public void tmpfile(CreateRequest request) throws IOException {
        with(() -> {
            MemoryNode node =
                    new MemoryNode(nextId++, MemoryNode.FILE | request.mode() & 07777, request.uid(), request.gid());
            node.links = 0;
            node.lookups = 1;
            nodes.put(node.id, node);
            request.reply(entry(request.entry(), node), nextHandle++, openFlags);
        });
    }

    @Override
    public void read(ReadRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            long from = Math.min(request.offset(), node.size);
            int bytes = (int) Math.min(request.size(), node.size - from);
            request.reply(MemorySegment.ofArray(node.content), from, bytes);
        });
    }

    @Override
    public void write(WriteRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            int end = Math.toIntExact(request.offset() + request.size());
            if (end > node.size) {
                node.resize(end);
            }
            MemorySegment.copy(request.payload(), JAVA_BYTE, 0, node.content, (int) request.offset(), request.size());
            request.reply(request.size());
        });
    }

    @Override
    public void statfs(StatfsRequest request) {
        request.reply(4096, 1000, 500, 400, 300, 200, 255);
    }

    @Override
    public void fsync(FsyncRequest request) {
        request.replyDone();
    }

    @Override
    public void fsyncdir(FsyncRequest request) {
        request.replyDone();
    }

    @Override
    public void syncfs(SyncfsRequest request) {
        request.replyDone();
    }

    @Override
    public void flush(FlushRequest request) throws IOException {
        with(() -> {
            unlock(node(request.nodeId()), request.lockOwner(), 0, Long.MAX_VALUE);
            request.replyDone();
        });
    }

    @Override
    public void opendir(OpenRequest request) throws IOException {
        with(() -> {
            List<String> names = new ArrayList<>(List.of(".", ".."));
            names.addAll(node(request.nodeId()).children.keySet());
            openDirectories.put(nextHandle, names);
            request.reply(nextHandle++, 0);
        });
    }

    @Override
    public void readdir(ReaddirRequest request) throws IOException {
        with(() -> {
            MemoryNode directory = node(request.nodeId());
            List<String> names = openDirectories.getOrDefault(request.handle(), List.of());
            DirectoryWriter writer = request.names();
            List<MemoryNode> counted = new ArrayList<>();
            Entry entry = new Entry();
            for (int i = (int) request.offset(); i < names.size(); i++) {
                byte[] name = names.get(i).getBytes(ISO_8859_1);
                MemoryNode child = directory.children.get(names.get(i));
                boolean fits = true;
                if (i < 2) {
                    fits = writer.add(name, directory.id, MemoryNode.DIRECTORY, i + 1L);
                } else if (child != null) {
                    fits = writer.add(name, entry(entry.clear(), child), i + 1L);
                    if (fits && request.isPlus()) {
                        counted.add(child);
                    }
                }
                if (!fits) {
                    break;
                }
            }
            counted.forEach(node -> node.lookups++);
            if (!request.reply()) {
                counted.forEach(node -> forgetLocked(node.id, 1));
            }
        });
    }

    @Override
    public void releasedir(ReleaseRequest request) throws IOException {
        with(() -> {
            openDirectories.remove(request.handle());
            request.replyDone();
        });
    }

    @Override
    public void setxattr(SetxattrRequest request) throws IOException {
        with(() -> {
            Map<String, byte[]> xattrs = node(request.nodeId()).xattrs;
            boolean exists = xattrs.containsKey(key(request.name()));
            if (request.flags() == 1 && exists) {
                throw error(Errno.EEXIST);
            }
            if (request.flags() == 2 && !exists) {
                throw error(Errno.ENODATA);
            }
            xattrs.put(key(request.name()), request.value());
            request.replyDone();
        });
    }

    @Override
    public void getxattr(GetxattrRequest request) throws IOException {
        with(() -> {
            byte[] value = node(request.nodeId()).xattrs.get(key(request.name()));
            if (value == null) {
                throw error(Errno.ENODATA);
            }
            request.reply(value);
        });
    }

    @Override
    public void listxattr(ListxattrRequest request) throws IOException {
        with(() -> {
            StringBuilder names = new StringBuilder();
            node(request.nodeId())
                    .xattrs
                    .keySet()
                    .forEach(name -> names.append(name).append('\0'));
            request.reply(names.toString().getBytes(ISO_8859_1));
        });
    }

    @Override
    public void removexattr(RemovexattrRequest request) throws IOException {
        with(() -> {
            if (node(request.nodeId()).xattrs.remove(key(request.name())) == null) {
                throw error(Errno.ENODATA);
            }
            request.replyDone();
        });
    }

    @Override
    public void fallocate(FallocateRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            int from = Math.toIntExact(request.offset());
            int to = Math.toIntExact(request.offset() + request.bytes());
            if ((request.mode() & (2 | 16)) != 0) {
                Arrays.fill(node.content, Math.min(from, node.size), Math.min(to, node.size), (byte) 0);
            }
            if ((request.mode() & 1) == 0 && to > node.size) {
                node.resize(to);
            }
            request.replyDone();
        });
    }

    /** A run of zero pages counts as a hole. */
    @Override
    public void lseek(LseekRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            if (request.offset() >= node.size) {
                throw error(Errno.ENXIO);
            }
            long at = request.offset();
            boolean wantData = request.whence() == LseekRequest.DATA;
            while (at < node.size && isData(node, (int) (at / 4096)) != wantData) {
                at = (at / 4096 + 1) * 4096;
            }
            if (at >= node.size && wantData) {
                throw error(Errno.ENXIO);
            }
            request.reply(Math.min(at, node.size));
        });
    }

    private static boolean isData(MemoryNode node, int page) {
        for (int i = page * 4096; i < Math.min(node.size, (page + 1) * 4096); i++) {
            if (node.content[i] != 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void copyFileRange(CopyFileRangeRequest request) throws IOException {
        with(() -> {
            MemoryNode from = node(request.nodeId());
            MemoryNode to = node(request.targetNodeId());
            int bytes = (int) Math.clamp(from.size - request.offset(), 0, request.bytes());
            byte[] copy = Arrays.copyOfRange(from.content, (int) request.offset(), (int) request.offset() + bytes);
            to.resize(Math.max(to.size, (int) request.targetOffset() + bytes));
            System.arraycopy(copy, 0, to.content, (int) request.targetOffset(), bytes);
            request.reply(bytes);
        });
    }

    @Override
    public void statx(StatxRequest request) throws IOException {
        with(() -> {
            NodeAttributes attributes = request.attributes();
            node(request.nodeId()).fill(attributes);
            request.reply(attributes, 1_600_000_000, 42, entryValidNanos);
        });
    }

    // ---- locks: whole ranges only, as the tests need no more ----

    @Override
    public void getlk(LockRequest request) throws IOException {
        with(() -> {
            MemoryNode.Lock wanted = wanted(request);
            for (MemoryNode.Lock held : node(request.nodeId()).locks) {
                if (held.conflictsWith(wanted)) {
                    request.replyConflict(held.start(), held.end(), held.type(), held.pid());
                    return;
                }
            }
            request.replyFree();
        });
    }

    @Override
    public void setlk(LockRequest request) throws IOException {
        with(() -> {
            MemoryNode node = node(request.nodeId());
            if (request.type() == LockRequest.UNLOCK) {
                unlock(node, request.owner(), request.start(), request.end());
                request.replyDone();
            } else if (tryLock(node, request)) {
                request.replyDone();
            } else if (!request.waits()) {
                throw error(Errno.EAGAIN);
            } else {
                LockRequest waiter = request.detach();
                node.lockWaiters.add(waiter);
                waiter.onInterrupt(() -> locked(() -> {
                    node.lockWaiters.remove(waiter);
                    return waiter.replyError(Errno.EINTR);
                }));
            }
        });
    }

    private static MemoryNode.Lock wanted(LockRequest request) {
        return new MemoryNode.Lock(request.owner(), request.start(), request.end(), request.type(), request.lockPid());
    }

    private static boolean tryLock(MemoryNode node, LockRequest request) {
        MemoryNode.Lock wanted = wanted(request);
        if (node.locks.stream().anyMatch(held -> held.conflictsWith(wanted))) {
            return false;
        }
        node.locks.add(wanted);
        return true;
    }

    private static void unlock(MemoryNode node, long owner, long start, long end) {
        node.locks.removeIf(held -> held.owner() == owner && held.start() >= start && held.end() <= end);
        for (LockRequest waiter : List.copyOf(node.lockWaiters)) {
            if (tryLock(node, waiter)) {
                node.lockWaiters.remove(waiter);
                waiter.replyDone();
            }
        }
    }
}
