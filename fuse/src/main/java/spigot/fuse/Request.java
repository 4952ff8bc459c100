package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import spigot.linux.Errno;

/**
 * One request of the kernel and the way to answer it, exactly once.
 *
 * <p>A request comes as a <em>view</em> over its worker's buffer: no object is made for it, and it is valid only until the method of
 * {@link FileSystem} that got it returns, on that thread. Either that method answers it (it must not block then), or calls {@link #handOver} or
 * {@link #detach}, which copy it: a detached request may be kept, and answered from any thread. A view that comes back unanswered is answered with EIO.
 *
 * <p>Reply methods return true when the kernel took the answer, false when nobody waits for it any more (interrupted, aborted, or answered already): an
 * entry or handle in an answer that was not taken must be given up by the file system, as the kernel will not forget or release it.
 *
 * @param <R> the class itself
 */
public abstract class Request<R extends Request<R>> {
    private static final int OPEN = 0;
    private static final int ANSWERED = 1;
    private static final int HANDED_OVER = 2;

    private static final Object INTERRUPTED = new Object();
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Request.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Name firstName = new Name();
    final Name secondName = new Name();

    private @Nullable Connection connection;
    private @Nullable Worker worker; // null when detached
    private @Nullable ReplyBuffer reply; // the worker's; when detached, borrowed for an answer that needs it
    private @Nullable AtomicReference<Object> interruption; // when detached: NONE yet, a Runnable, or INTERRUPTED
    private Channel channel = Channel.NONE;
    private MemorySegment memory = MemorySegment.NULL;
    private long start;
    private int length;
    private int opcode;
    private long unique;
    private long nodeId;

    @SuppressWarnings("unused") // through STATE
    private volatile int state;

    Request() {}

    /** A new object of the same class, for {@link #detach}. */
    abstract R blank();

    /** Calls the method of the file system that is for this request. */
    abstract void serve(FileSystem fileSystem) throws Exception;

    /** Whether the body is well-formed beyond what {@link Opcode} says. */
    boolean bodyFits() {
        return true;
    }

    // ---- what the kernel said ----

    /** The kernel's number of this request. */
    public final long unique() {
        return unique;
    }

    /** The node that the request is about; for requests with a name, the directory. */
    public final long nodeId() {
        return nodeId;
    }

    /** The caller's file system user id; meaningless for writes from the page cache. */
    public final int uid() {
        return header(Layout.IN_UID);
    }

    public final int gid() {
        return header(Layout.IN_GID);
    }

    /** The calling thread's process id; 0 when there is none, as for read-ahead by the kernel. */
    public final int pid() {
        return header(Layout.IN_PID);
    }

    /** The request's name in fuse.h, such as {@code READ}. */
    public final String operation() {
        Opcode known = Opcode.of(opcode);
        return known == null ? "opcode " + opcode : known.name();
    }

    @Override
    public String toString() {
        return operation() + " unique=" + unique + " node=" + nodeId;
    }

    // ---- later ----

    /**
     * Takes this request out of its worker's hands, so that it can be answered later from any thread. The view is used up by this.
     *
     * @return the request to keep; it must be answered, whatever happens
     * @throws RequestRefusedException (to be passed on: it is answered with ENOMEM) when too many requests wait already
     */
    public final R detach() {
        Worker from = worker;
        if (from == null || (int) STATE.get(this) != OPEN) {
            throw new IllegalStateException(this + " is detached or answered already");
        }
        R detached = blank();
        Request<R> copy = detached;
        copy.connection = connection;
        copy.channel = channel;
        copy.opcode = opcode;
        copy.unique = unique;
        copy.nodeId = nodeId;
        copy.length = length;
        copy.interruption = new AtomicReference<>();
        from.pending().admit(copy);
        if (length > Worker.COPY_LIMIT_BYTES) {
            copy.start = start;
            copy.memory = from.giveAwayMemory();
        } else {
            byte[] bytes = new byte[length];
            MemorySegment.copy(memory, JAVA_BYTE, start, bytes, 0, length);
            copy.memory = MemorySegment.ofArray(bytes);
        }
        copy.findNames();
        STATE.set(this, HANDED_OVER);
        from.detached(copy);
        return detached;
    }

    /**
     * Detaches the request and runs the body on a new virtual thread, which may block and is interrupted when the caller is killed. If the body throws, or
     * returns without an answer, that is the answer: EINTR for an interruption, the number of a
     * {@link spigot.linux.SystemCallException}, EIO for all else.
     */
    public final void handOver(RequestHandler<R> body) {
        R detached = detach();
        Thread thread =
                Thread.ofVirtual().name("fuse-request-" + unique).unstarted(() -> Failures.answering(detached, body));
        detached.onInterrupt(thread::interrupt);
        thread.start();
    }

    /**
     * What to do, on a virtual thread of its own, when the caller of this detached request is killed (of a wait for a lock: gets any signal), or the mount ends: usually to answer EINTR soon. At
     * once if that has happened already; a further call replaces the former.
     */
    public final void onInterrupt(Runnable action) {
        AtomicReference<Object> current = interruption();
        Object before;
        do {
            before = current.get();
            if (before == INTERRUPTED) {
                Thread.ofVirtual().name("fuse-interrupt").start(action);
                return;
            }
        } while (!current.compareAndSet(before, action));
    }

    /** Whether the caller of this detached request was killed, as {@link #onInterrupt}. */
    public final boolean isInterrupted() {
        return interruption().get() == INTERRUPTED;
    }

    /** Whether any signal to the caller ends it, and not only a fatal one. */
    boolean endsAtAnySignal() {
        return false;
    }

    final void interrupt() {
        if (interruption().getAndSet(INTERRUPTED) instanceof Runnable action) {
            Thread.ofVirtual().name("fuse-interrupt").start(action);
        }
    }

    private AtomicReference<Object> interruption() {
        AtomicReference<Object> current = interruption;
        if (current == null) {
            throw new IllegalStateException(this + " is not detached");
        }
        return current;
    }

    // ---- answers ----

    /** @param errno a positive number, see {@link Errno} */
    public final boolean replyError(int errno) {
        if (errno <= 0 || errno >= 512) {
            throw new IllegalArgumentException("errno " + errno);
        }
        return claim() && sendBare(-errno);
    }

    /** True as soon as one answer was given, or a view detached. */
    public final boolean isAnswered() {
        return (int) STATE.getAcquire(this) != OPEN;
    }

    final boolean sendStatus() {
        return claim() && sendBare(0);
    }

    /** Memory for an answer of up to so many bytes; the payload starts at {@link ReplyBuffer#PAYLOAD}. */
    final ReplyBuffer replyBuffer(int bytes) {
        ReplyBuffer current = reply;
        if (current == null || current.capacity() < bytes) {
            if (worker != null) {
                throw new IllegalArgumentException(bytes + " bytes are more than an answer may have");
            }
            current = connection().replyBuffers().borrow(bytes);
            reply = current;
        }
        return current;
    }

    /** Sends what was put into {@link #replyBuffer}. */
    final boolean send(int payloadBytes) {
        ReplyBuffer buffer = replyBuffer(payloadBytes);
        boolean taken = false;
        if (claim()) {
            long header = buffer.header(unique, 0, payloadBytes);
            int bytes = Layout.OUT_HEADER_BYTES + payloadBytes;
            taken = taken(worker != null ? channel.write(header, bytes) : channel.writeFromAnyThread(header, bytes));
        }
        giveBack(buffer);
        return taken;
    }

    /** Sends the header and the segments that were put into {@link #replyBuffer} as vectors. */
    final boolean sendVectors(int vectors, int payloadBytes) {
        ReplyBuffer buffer = replyBuffer(0);
        boolean taken = false;
        if (claim()) {
            buffer.header(unique, 0, payloadBytes);
            long address = buffer.vectors();
            int count = vectors + 1;
            taken = taken(
                    worker != null ? channel.writev(address, count) : channel.writevFromAnyThread(address, count));
        }
        giveBack(buffer);
        return taken;
    }

    private boolean sendBare(int error) {
        if (worker != null) {
            return taken(channel.write(replyBuffer(0).header(unique, error, 0), Layout.OUT_HEADER_BYTES));
        }
        // Not this.reply: another thread may be filling that one, unaware that it comes too late.
        ReplyBuffers pool = connection().replyBuffers();
        ReplyBuffer buffer = pool.borrow(0);
        boolean taken = taken(channel.writeFromAnyThread(buffer.header(unique, error, 0), Layout.OUT_HEADER_BYTES));
        pool.giveBack(buffer);
        return taken;
    }

    private boolean taken(long result) {
        if (result >= 0) {
            return true;
        }
        connection().replyFailed(this, (int) -result);
        if (result == -Errno.EINVAL) { // refused by the kernel, and somebody still waits
            sendRefused();
        }
        return false;
    }

    private void sendRefused() {
        ReplyBuffers pool = connection().replyBuffers();
        ReplyBuffer buffer = pool.borrow(0);
        long ignored = channel.writeFromAnyThread(buffer.header(unique, -Errno.EIO, 0), Layout.OUT_HEADER_BYTES);
        pool.giveBack(buffer);
    }

    /** Only one answer goes out: true for the one. */
    private boolean claim() {
        if (worker != null) {
            if ((int) STATE.get(this) != OPEN) {
                return false;
            }
            STATE.set(this, ANSWERED);
            return true;
        }
        if (!STATE.compareAndSet(this, OPEN, ANSWERED)) {
            return false;
        }
        connection().pending().remove(this);
        if (length > Worker.COPY_LIMIT_BYTES) {
            connection().requestMemory().giveBack(memory);
        }
        return true;
    }

    private void giveBack(ReplyBuffer buffer) {
        if (worker == null) {
            reply = null;
            connection().replyBuffers().giveBack(buffer);
        }
    }

    private Connection connection() {
        return Objects.requireNonNull(connection);
    }

    // ---- the frame ----

    /** Makes this view show the frame that its worker just read. */
    final void bind(Worker owner, int frameOpcode, int frameBytes) {
        connection = owner.connection();
        worker = owner;
        reply = owner.reply();
        channel = owner.channel();
        memory = owner.memory();
        start = owner.start();
        length = frameBytes;
        opcode = frameOpcode;
        unique = memory.get(JAVA_LONG_UNALIGNED, start + Layout.IN_UNIQUE);
        nodeId = memory.get(JAVA_LONG_UNALIGNED, start + Layout.IN_NODE);
        STATE.set(this, OPEN);
    }

    /** Whether the frame holds the fixed struct, the names and what {@link #bodyFits} asks for. */
    final boolean isWellFormed() {
        Opcode known = Opcode.of(opcode);
        return known != null && length >= Layout.IN_HEADER_BYTES + fixedBytes() && findNames() && bodyFits();
    }

    /** Size of the struct that the body starts with. */
    int fixedBytes() {
        Opcode known = Opcode.of(opcode);
        return known == null ? 0 : known.fixedBytes();
    }

    private boolean findNames() {
        Opcode known = Opcode.of(opcode);
        int names = known == null ? 0 : known.names();
        if (names == 0) {
            return true;
        }
        int at = findName(firstName, Layout.IN_HEADER_BYTES + fixedBytes());
        return names == 1 ? at > 0 : at > 0 && findName(secondName, at) > 0;
    }

    /** @return where the name's zero byte is followed by what comes next; -1 when there is none */
    private int findName(Name name, int from) {
        for (int at = from; at < length; at++) {
            if (memory.get(JAVA_BYTE, start + at) == 0) {
                name.set(memory, start + from, at - from);
                return at == from ? -1 : at + 1;
            }
        }
        return -1;
    }

    final int opcode() {
        return opcode;
    }

    final boolean is(Opcode which) {
        return opcode == which.number();
    }

    final boolean isDetached() {
        return worker == null;
    }

    /** Bytes of the frame after the header. */
    final int bodyBytes() {
        return length - Layout.IN_HEADER_BYTES;
    }

    final boolean negotiated(long flag) {
        return (connection().agreement().flags() & flag) != 0;
    }

    final int maxReplyBytes() {
        return connection().agreement().maxIoBytes();
    }

    final int intAt(int bodyOffset) {
        return memory.get(JAVA_INT_UNALIGNED, start + Layout.IN_HEADER_BYTES + bodyOffset);
    }

    final long longAt(int bodyOffset) {
        return memory.get(JAVA_LONG_UNALIGNED, start + Layout.IN_HEADER_BYTES + bodyOffset);
    }

    final MemorySegment bytesAt(int bodyOffset, int bytes) {
        return memory.asSlice(start + Layout.IN_HEADER_BYTES + bodyOffset, bytes);
    }

    private int header(int offset) {
        return memory.get(JAVA_INT_UNALIGNED, start + offset);
    }
}
