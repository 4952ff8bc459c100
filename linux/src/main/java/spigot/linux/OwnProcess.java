package spigot.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a program does to its own process, and the JDK has no call for. */
public final class OwnProcess {
    /** Keeps every byte: arguments and variables are in no particular encoding. */
    private static final Charset BYTES = StandardCharsets.ISO_8859_1;

    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");
    private static final Path ENVIRONMENT = Path.of("/proc/self/environ");
    private static final String PROGRAM = "/proc/self/exe";

    private OwnProcess() {}

    /** What this process was started with, its name first; one character a byte. */
    public static List<String> arguments() throws IOException {
        return strings(COMMAND_LINE);
    }

    /**
     * Becomes the same program again with other arguments, as execve(2): same process id, same standard streams, environment as at the start.
     * All threads end where they are. Does not return.
     *
     * @param arguments as {@link #arguments} gives them
     */
    public static void startAgain(List<String> arguments) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            long result = Libc.syscall(
                    Machine.SYS_EXECVE,
                    Memory.cString(arena, PROGRAM),
                    vector(arena, arguments),
                    vector(arena, strings(ENVIRONMENT)),
                    0,
                    0,
                    0);
            throw new SystemCallException("execve", PROGRAM, (int) -result);
        }
    }

    /**
     * Leaves the terminal and the session of who started it, and the working directory; standard input is empty from now on, standard error
     * goes to a file. Standard output stays, to say that all is well.
     *
     * @param errors made, or emptied
     */
    public static void leave(Path errors) throws SystemCallException {
        // Fails only for the leader of a process group, which has a session of its own already.
        Libc.syscall(Machine.SYS_SETSID, 0, 0, 0, 0, 0, 0);
        try (Arena arena = Arena.ofConfined()) {
            Libc.syscall(Machine.SYS_CHDIR, Memory.cString(arena, "/"), 0, 0, 0, 0, 0);
        }
        replace(0, "/dev/null", Machine.O_RDONLY, 0);
        replace(2, errors.toString(), Machine.O_WRONLY | Machine.O_CREAT | Machine.O_TRUNC | Machine.O_APPEND, 0600);
    }

    /** Standard output goes nowhere from now on: who reads it sees its end. */
    public static void closeOutput() throws SystemCallException {
        replace(1, "/dev/null", Machine.O_WRONLY, 0);
    }

    private static void replace(int stream, String path, int flags, int mode) throws SystemCallException {
        int descriptor = Libc.open(path, flags, mode);
        if (descriptor < 0) {
            throw new SystemCallException("open", path, -descriptor);
        }
        long result = Libc.syscall(Machine.SYS_DUP3, descriptor, stream, 0, 0, 0, 0);
        Libc.close(descriptor);
        if (result < 0) {
            throw new SystemCallException("dup3", path, (int) -result);
        }
    }

    private static List<String> strings(Path file) throws IOException {
        String all = new String(Files.readAllBytes(file), BYTES);
        return all.isEmpty()
                ? List.of()
                : List.of(all.substring(0, all.length() - 1).split("\0", -1));
    }

    /** The address of an array of pointers to C strings, with a null pointer at its end. */
    private static long vector(Arena arena, List<String> strings) {
        long vector = Memory.allocate(arena, 8L * (strings.size() + 1), 8);
        for (int i = 0; i < strings.size(); i++) {
            Memory.putLong(vector + 8L * i, Memory.cString(arena, strings.get(i).getBytes(BYTES)));
        }
        return vector;
    }
}
