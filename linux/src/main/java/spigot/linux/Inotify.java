package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Watches directories: inotify(7). {@link #watch} and {@link #unwatch} from any thread, {@link #poll} from one. A watch follows the
 * inode, not the name.
 */
public final class Inotify implements AutoCloseable {
    public static final int MODIFIED = 0x2;
    public static final int ATTRIBUTES = 0x4;
    public static final int WRITTEN_AND_CLOSED = 0x8;
    public static final int MOVED_FROM = 0x40;
    public static final int MOVED_TO = 0x80;
    public static final int CREATED = 0x100;
    public static final int DELETED = 0x200;
    public static final int SELF_DELETED = 0x400;
    public static final int SELF_MOVED = 0x800;

    /** Events were lost: look at everything. */
    public static final int OVERFLOW = 0x4000;

    /** The watch is gone, removed or with its directory. */
    public static final int IGNORED = 0x8000;

    private static final int ONLY_DIRECTORIES = 0x0100_0000;
    private static final int NONBLOCK_CLOEXEC = 0x80800;
    private static final int BUFFER_BYTES = 64 << 10;
    private static final int HEADER_BYTES = 16;
    private static final short POLLIN = 1;

    private static final MethodHandle INIT = Downcall.of("inotify_init1", JAVA_INT, JAVA_INT);
    private static final MethodHandle ADD = Downcall.of("inotify_add_watch", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle REMOVE = Downcall.of("inotify_rm_watch", JAVA_INT, JAVA_INT, JAVA_INT);

    private final Descriptor descriptor;
    private final Arena arena = Arena.ofAuto();
    private final long buffer = Memory.allocate(arena, BUFFER_BYTES, 8);
    private final long pollDescriptor = Memory.allocate(arena, 8, 8);

    /**
     * @param watch the number that {@link Inotify#watch} returned; -1 for {@link #OVERFLOW}
     * @param name of the entry that the event is about, empty when it is about the directory itself
     */
    public record Event(int watch, int mask, byte[] name) {}

    /** @throws SystemCallException EMFILE when the user's limit of instances is reached (fs.inotify.max_user_instances) */
    public Inotify() throws SystemCallException {
        MemorySegment state = Libc.state();
        int result;
        try {
            result = (int) INIT.invokeExact(state, NONBLOCK_CLOEXEC);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
        if (result < 0) {
            throw new SystemCallException("make", "an inotify instance", state.get(JAVA_INT, 0));
        }
        descriptor = new Descriptor(result);
    }

    /**
     * @param directory may be opened with O_PATH
     * @param mask which events
     * @return the watch's number, that of the watch which the directory has already if there is one; {@code -errno} when it can't be:
     *     ENOSPC at the user's limit (fs.inotify.max_user_watches)
     */
    public int watch(Descriptor directory, int mask) throws SystemCallException {
        long path = Scratch.path(directory.procPath().getBytes(StandardCharsets.US_ASCII));
        MemorySegment state = Libc.state();
        try {
            int result = (int) ADD.invokeExact(state, descriptor.number(), path, mask | ONLY_DIRECTORIES);
            return result < 0 ? -state.get(JAVA_INT, 0) : result;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** Ends a watch; an {@link #IGNORED} event follows. Harmless when it is gone already. */
    public void unwatch(int watch) {
        MemorySegment state = Libc.state();
        try {
            int _ = (int) REMOVE.invokeExact(state, descriptor.number(), watch);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** Waits for events for up to the timeout and hands over those that there are. */
    public void poll(int timeoutMillis, Consumer<Event> events) throws SystemCallException {
        Memory.putInt(pollDescriptor, descriptor.number());
        Memory.putShort(pollDescriptor + 4, POLLIN);
        Memory.putShort(pollDescriptor + 6, 0);
        int ready = Libc.poll(pollDescriptor, 1, timeoutMillis);
        if (ready == 0 || ready == -Errno.EINTR) {
            return;
        }
        long length = ready < 0 ? ready : Libc.read(descriptor.number(), buffer, BUFFER_BYTES);
        if (length == -Errno.EAGAIN || length == -Errno.EINTR) {
            return;
        }
        if (length < 0) {
            throw new SystemCallException("read", "inotify events", (int) -length);
        }
        for (long at = buffer; at < buffer + length; at += HEADER_BYTES + Memory.getInt(at + 12)) {
            int nameBytes = Memory.getInt(at + 12);
            byte[] name = Memory.bytes(at + HEADER_BYTES, Memory.stringLength(at + HEADER_BYTES, nameBytes));
            events.accept(new Event(Memory.getInt(at), Memory.getInt(at + 4), name));
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
