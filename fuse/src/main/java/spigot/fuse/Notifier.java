package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/**
 * Tells the kernel what to drop from its caches. Each notification is sent by a thread of the notifier's own, those for one node in order. The future ends
 * when the kernel has done it: {@code true} when it knew the node or name, {@code false} when it did not (then nothing was cached either).
 *
 * <p>The kernel may make a notification wait for requests in flight, so <em>no answer to a request may ever wait for one of these futures</em> if that
 * request is one of:
 * <ul>
 * <li>READ or WRITE of a page that is invalidated or stored;
 * <li>any request that changes or lists the directory, or a LOOKUP in it, for {@link #invalidateEntry};
 * <li>SETATTR of the size while pages of the file are dirty.
 * </ul>
 * All methods may be called from any thread. When {@value #CAPACITY} notifications wait, the caller waits, or, if it is a worker, gets a failed future.
 */
public final class Notifier {
    private static final int CODE_INVAL_INODE = 2;
    private static final int CODE_INVAL_ENTRY = 3;
    private static final int CODE_STORE = 4;
    private static final int CODE_DELETE = 6;
    private static final int CODE_INC_EPOCH = 8;
    private static final int EXPIRE_ONLY = 1;
    private static final int MAX_NAME_BYTES = 1024;
    private static final int CAPACITY = 1 << 16;
    private static final long EPOCH_KEY = 0;

    private final Channel channel;
    private final KeyedThreads threads = new KeyedThreads("fuse-notifier-", CAPACITY);
    private final ReplyBuffers buffers = new ReplyBuffers(ReplyBuffers.SMALL_BYTES);
    private final LongAdder sent = new LongAdder();
    /** Keys that no node has: the kernel has no use for so many. */
    private final AtomicLong unordered = new AtomicLong();

    Notifier(Channel channel) {
        this.channel = channel;
    }

    /**
     * Drops pages of a file from the page cache and from all mappings, and its attributes. Dirty pages are written first (WRITE requests come meanwhile).
     *
     * @param length 0 for all from the offset on
     */
    public CompletableFuture<Boolean> invalidateInode(long nodeId, long offset, long length) {
        return invalidate(nodeId, nodeId, offset, length);
    }

    /**
     * As {@link #invalidateInode}, but in no order with other notifications of the node: it does not wait behind one that the kernel keeps waiting for a
     * READ in another range of the file.
     */
    public CompletableFuture<Boolean> invalidatePages(long nodeId, long offset, long length) {
        return invalidate(unordered.decrementAndGet(), nodeId, offset, length);
    }

    private CompletableFuture<Boolean> invalidate(long key, long nodeId, long offset, long length) {
        return submit(key, () -> {
            ReplyBuffer buffer = buffers.borrow(0);
            MemorySegment body = buffer.payload(Layout.INVAL_INODE_OUT_BYTES);
            body.set(JAVA_LONG_UNALIGNED, Layout.INVAL_INODE_OUT_NODE, nodeId);
            body.set(JAVA_LONG_UNALIGNED, Layout.INVAL_INODE_OUT_OFFSET, offset);
            body.set(JAVA_LONG_UNALIGNED, Layout.INVAL_INODE_OUT_LENGTH, length);
            return send(buffer, CODE_INVAL_INODE, Layout.INVAL_INODE_OUT_BYTES);
        });
    }

    /** Drops the attributes only. */
    public CompletableFuture<Boolean> invalidateAttributes(long nodeId) {
        return invalidateInode(nodeId, -1, 0);
    }

    /** Drops a name, also one known to be absent; programs that have it open or as their directory keep it. */
    public CompletableFuture<Boolean> invalidateEntry(long parent, byte[] name) {
        return entry(parent, name, 0);
    }

    /** Makes the kernel ask for a name the next time, without detaching what is mounted or open below it. */
    public CompletableFuture<Boolean> expireEntry(long parent, byte[] name) {
        return entry(parent, name, EXPIRE_ONLY);
    }

    private CompletableFuture<Boolean> entry(long parent, byte[] name, int flags) {
        byte[] copy = checked(name);
        return submit(parent, () -> {
            ReplyBuffer buffer = buffers.borrow(0);
            int bytes = Layout.INVAL_ENTRY_OUT_BYTES + copy.length + 1;
            MemorySegment body = buffer.payload(bytes);
            body.set(JAVA_LONG_UNALIGNED, Layout.INVAL_ENTRY_OUT_PARENT, parent);
            body.set(JAVA_INT_UNALIGNED, Layout.INVAL_ENTRY_OUT_NAME_LENGTH, copy.length);
            body.set(JAVA_INT_UNALIGNED, Layout.INVAL_ENTRY_OUT_FLAGS, flags);
            putName(body, Layout.INVAL_ENTRY_OUT_BYTES, copy);
            return send(buffer, CODE_INVAL_ENTRY, bytes);
        });
    }

    /** As {@link #invalidateEntry}, if the name leads to this child; watchers are told that it was deleted. */
    public CompletableFuture<Boolean> deleteEntry(long parent, long child, byte[] name) {
        byte[] copy = checked(name);
        return submit(parent, () -> {
            ReplyBuffer buffer = buffers.borrow(0);
            int bytes = Layout.DELETE_OUT_BYTES + copy.length + 1;
            MemorySegment body = buffer.payload(bytes);
            body.fill((byte) 0);
            body.set(JAVA_LONG_UNALIGNED, Layout.DELETE_OUT_PARENT, parent);
            body.set(JAVA_LONG_UNALIGNED, Layout.DELETE_OUT_CHILD, child);
            body.set(JAVA_INT_UNALIGNED, Layout.DELETE_OUT_NAME_LENGTH, copy.length);
            putName(body, Layout.DELETE_OUT_BYTES, copy);
            return send(buffer, CODE_DELETE, bytes);
        });
    }

    /**
     * Puts bytes into the page cache, replacing what is there.
     *
     * @param data native memory that stays as it is until the future ends
     */
    public CompletableFuture<Boolean> store(long nodeId, long offset, MemorySegment data) {
        if (!data.isNative()) {
            throw new IllegalArgumentException("only native memory can be stored");
        }
        return submit(nodeId, () -> {
            ReplyBuffer buffer = buffers.borrow(0);
            MemorySegment body = buffer.payload(Layout.STORE_OUT_BYTES);
            body.fill((byte) 0);
            body.set(JAVA_LONG_UNALIGNED, Layout.STORE_OUT_NODE, nodeId);
            body.set(JAVA_LONG_UNALIGNED, Layout.STORE_OUT_OFFSET, offset);
            body.set(JAVA_INT_UNALIGNED, Layout.STORE_OUT_SIZE, Math.toIntExact(data.byteSize()));
            buffer.header(0, CODE_STORE, Math.toIntExact(Layout.STORE_OUT_BYTES + data.byteSize()));
            buffer.vector(1, body.address(), Layout.STORE_OUT_BYTES);
            buffer.vector(2, data.address(), data.byteSize());
            return result(buffer, channel.writevFromAnyThread(buffer.vectors(), 3));
        });
    }

    /** Expires every name in the kernel's caches at once, in microseconds, whatever is in flight; attributes of open files stay. */
    public CompletableFuture<Boolean> incrementEpoch() {
        return submit(EPOCH_KEY, () -> send(buffers.borrow(0), CODE_INC_EPOCH, 0));
    }

    long sent() {
        return sent.sum();
    }

    int queued() {
        return threads.size();
    }

    void close() {
        threads.close();
    }

    private static byte[] checked(byte[] name) {
        if (name.length == 0 || name.length > MAX_NAME_BYTES) {
            throw new IllegalArgumentException("a name of " + name.length + " bytes");
        }
        return name.clone();
    }

    private static void putName(MemorySegment body, int at, byte[] name) {
        MemorySegment.copy(name, 0, body, JAVA_BYTE, at, name.length);
        body.set(JAVA_BYTE, (long) at + name.length, (byte) 0);
    }

    private boolean send(ReplyBuffer buffer, int code, int bytes) throws SystemCallException {
        long header = buffer.header(0, code, bytes);
        return result(buffer, channel.writeFromAnyThread(header, Layout.OUT_HEADER_BYTES + bytes));
    }

    private boolean result(ReplyBuffer buffer, long result) throws SystemCallException {
        sent.increment();
        buffers.giveBack(buffer);
        if (result >= 0) {
            return true;
        }
        if (result == -Errno.ENOENT) {
            return false;
        }
        throw new SystemCallException("notify", "the kernel", (int) -result);
    }

    private CompletableFuture<Boolean> submit(long key, KeyedThreads.Task task) {
        return threads.submit(key, task);
    }
}
