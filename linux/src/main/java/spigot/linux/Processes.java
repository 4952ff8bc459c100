package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Mounts, sockets that pass descriptors, and child processes that get one ({@link ProcessBuilder} can't). As {@link Libc}. */
public final class Processes {
    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;
    public static final long MS_NOEXEC = 8;
    public static final long MS_NOATIME = 1024;

    public static final int MNT_FORCE = 1;
    public static final int MNT_DETACH = 2;
    public static final int UMOUNT_NOFOLLOW = 8;

    private static final long ACTIONS_BYTES = 256; // posix_spawn_file_actions_t has 80 in glibc

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_SEQPACKET = 5;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private static final MethodHandle MOUNT =
            Downcall.of("mount", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle UMOUNT2 = Downcall.of("umount2", JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SOCKETPAIR =
            Downcall.of("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle RECVMSG = Downcall.of("recvmsg", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle POSIX_SPAWN =
            Downcall.of("posix_spawn", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle ACTIONS_INIT = Downcall.of("posix_spawn_file_actions_init", JAVA_INT, JAVA_LONG);
    private static final MethodHandle ACTIONS_DUP2 =
            Downcall.of("posix_spawn_file_actions_adddup2", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final MethodHandle ACTIONS_CLOSE_FROM =
            Downcall.of("posix_spawn_file_actions_addclosefrom_np", JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle ACTIONS_DESTROY =
            Downcall.of("posix_spawn_file_actions_destroy", JAVA_INT, JAVA_LONG);
    private static final MethodHandle WAITPID = Downcall.of("waitpid", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle GETEUID = Downcall.of("geteuid", JAVA_INT);
    private static final MethodHandle GETEGID = Downcall.of("getegid", JAVA_INT);

    private Processes() {}

    public static int mount(String source, String target, String type, long flags, String options) {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) MOUNT.invokeExact(
                    state,
                    Memory.cString(arena, source),
                    Memory.cString(arena, target),
                    Memory.cString(arena, type),
                    flags,
                    Memory.cString(arena, options));
            return result == -1 ? -state.get(JAVA_INT, 0) : result;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** @param flags {@link #MNT_DETACH} and others */
    public static int unmount(String target, int flags) {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) UMOUNT2.invokeExact(state, Memory.cString(arena, target), flags);
            return result == -1 ? -state.get(JAVA_INT, 0) : result;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static int effectiveUserId() {
        try {
            return (int) GETEUID.invokeExact(Libc.state());
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static int effectiveGroupId() {
        try {
            return (int) GETEGID.invokeExact(Libc.state());
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /**
     * A pair of connected Unix stream sockets, both close-on-exec.
     *
     * @return two descriptors
     */
    public static int[] socketPair() throws SystemCallException {
        return socketPair(SOCK_STREAM);
    }

    /** As {@link #socketPair()}, keeping the boundaries of messages: one read gives what one write sent. */
    public static int[] messageSocketPair() throws SystemCallException {
        return socketPair(SOCK_SEQPACKET);
    }

    private static int[] socketPair(int type) throws SystemCallException {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            long pair = Memory.allocate(arena, 8, 8);
            int result = (int) SOCKETPAIR.invokeExact(state, AF_UNIX, type | SOCK_CLOEXEC, 0, pair);
            if (result == -1) {
                throw new SystemCallException("socketpair", "(unix)", state.get(JAVA_INT, 0));
            }
            return new int[] {Memory.getInt(pair), Memory.getInt(pair + 4)};
        } catch (SystemCallException e) {
            throw e;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /**
     * Waits for a message with one descriptor in it (SCM_RIGHTS).
     *
     * @return the descriptor, close-on-exec; {@code -ENODATA} when the other side closed without one, or {@code -errno}
     */
    public static int receiveDescriptor(int socket) {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            long byteVector = Memory.allocate(arena, 16, 8);
            long control = Memory.allocate(arena, 64, 8);
            long message = Memory.allocate(arena, 56, 8);
            Memory.putLong(byteVector, Memory.allocate(arena, 8, 8));
            Memory.putLong(byteVector + 8, 1);
            Memory.putLong(message + 16, byteVector);
            Memory.putLong(message + 24, 1);
            Memory.putLong(message + 32, control);
            Memory.putLong(message + 40, 64);
            long received;
            do {
                received = (long) RECVMSG.invokeExact(state, socket, message, MSG_CMSG_CLOEXEC);
            } while (received == -1 && state.get(JAVA_INT, 0) == Errno.EINTR);
            if (received == -1) {
                return -state.get(JAVA_INT, 0);
            }
            boolean descriptor = received > 0
                    && Memory.getLong(message + 40) >= 20
                    && Memory.getInt(control + 8) == SOL_SOCKET
                    && Memory.getInt(control + 12) == SCM_RIGHTS;
            return descriptor ? Memory.getInt(control + 16) : -Errno.ENODATA;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /**
     * Starts a program, with nothing in its environment but what is given.
     *
     * @param program an absolute path
     * @param arguments with the program's name first
     * @param environment as {@code NAME=value}
     * @param descriptors of this process that become 0, 1, 2 and so on of the program; all others are closed there (the JVM has many that are not
     *     close-on-exec). Each stands at or behind its own number, as {@code dup2} works from the left.
     * @return the process id; the caller waits for it
     */
    public static int spawn(String program, String[] arguments, String[] environment, int[] descriptors)
            throws SystemCallException {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            long id = Memory.allocate(arena, 4, 4);
            long actions = Memory.allocate(arena, ACTIONS_BYTES, 16);
            check("posix_spawn_file_actions_init", program, (int) ACTIONS_INIT.invokeExact(state, actions));
            try {
                for (int i = 0; i < descriptors.length; i++) {
                    check("posix_spawn_file_actions_adddup2", program, (int)
                            ACTIONS_DUP2.invokeExact(state, actions, descriptors[i], i));
                }
                check("posix_spawn_file_actions_addclosefrom_np", program, (int)
                        ACTIONS_CLOSE_FROM.invokeExact(state, actions, descriptors.length));
                int errno = (int) POSIX_SPAWN.invokeExact(
                        state,
                        id,
                        Memory.cString(arena, program),
                        actions,
                        0L,
                        strings(arena, arguments),
                        strings(arena, environment));
                check("posix_spawn", program, errno);
            } finally {
                int unused = (int) ACTIONS_DESTROY.invokeExact(state, actions);
            }
            return Memory.getInt(id);
        } catch (SystemCallException e) {
            throw e;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    private static void check(String call, String object, int errno) throws SystemCallException {
        if (errno != 0) {
            throw new SystemCallException(call, object, errno);
        }
    }

    /**
     * Waits until a child ends.
     *
     * @return its exit code, or 128 + the signal that ended it, or {@code -errno}
     */
    public static int waitFor(int processId) {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            long status = Memory.allocate(arena, 4, 4);
            int result;
            do {
                result = (int) WAITPID.invokeExact(state, processId, status, 0);
            } while (result == -1 && state.get(JAVA_INT, 0) == Errno.EINTR);
            if (result == -1) {
                return -state.get(JAVA_INT, 0);
            }
            int word = Memory.getInt(status);
            int signal = word & 0x7f;
            return signal == 0 ? word >> 8 & 0xff : 128 + signal;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    private static long strings(Arena arena, String[] texts) {
        long array = Memory.allocate(arena, 8L * (texts.length + 1), 8);
        for (int i = 0; i < texts.length; i++) {
            Memory.putLong(array + 8L * i, Memory.cString(arena, texts[i]));
        }
        return array;
    }
}
