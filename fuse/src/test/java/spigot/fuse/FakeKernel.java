package spigot.fuse;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Memory;
import spigot.linux.Processes;
import spigot.linux.SystemCallException;

/** The kernel's side of a connection over a pair of sockets: says INIT, sends whatever frames a test makes up, reads the answers. */
final class FakeKernel implements AutoCloseable {
    static final int MAX_IO_BYTES = 64 << 10;

    /** An answer. */
    record Answer(int error, long unique, byte[] payload) {
        ByteBuffer buffer() {
            return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        }
    }

    final Connection connection;
    private final int socket;
    private final Arena arena = Arena.ofShared();
    private final long memory = Memory.allocate(arena, MAX_IO_BYTES + 8192, 8);

    FakeKernel(FileSystem fileSystem, int workers) throws Exception {
        this(fileSystem, workers, 7, 38);
    }

    FakeKernel(FileSystem fileSystem, int workers, int major, int minor) throws Exception {
        int[] pair = Processes.messageSocketPair();
        socket = pair[0];
        ByteBuffer init = body(Layout.INIT_IN_BYTES);
        init.putInt(Layout.INIT_IN_MAJOR, major);
        init.putInt(Layout.INIT_IN_MINOR, minor);
        init.putInt(Layout.INIT_IN_READAHEAD, 131072);
        init.putInt(Layout.INIT_IN_FLAGS, (int) InitFlags.STANDARD);
        init.putInt(Layout.INIT_IN_FLAGS2, (int) (InitFlags.STANDARD >>> 32));
        send(Control.INIT, 2, 0, init.array());
        MountOptions options = MountOptions.defaults().withWorkers(workers).withMaxWriteBytes(MAX_IO_BYTES);
        Channel channel = new Channel(pair[1]);
        try {
            connection = Connection.open(List.of(channel), options);
        } catch (FuseException e) {
            channel.close();
            close();
            throw e;
        }
        connection.serve(fileSystem, workers, () -> {});
        Answer agreed = answer();
        if (agreed.unique() != 2 || agreed.payload().length != Layout.INIT_OUT_BYTES) {
            throw new IllegalStateException("INIT was answered by " + agreed);
        }
    }

    static ByteBuffer body(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    /** A body of fixed values followed by names that end with a zero byte. */
    static byte[] body(byte[] fixed, String... names) {
        String all = names.length == 0 ? "" : String.join("\0", names) + "\0";
        byte[] tail = all.getBytes(StandardCharsets.ISO_8859_1);
        byte[] result = java.util.Arrays.copyOf(fixed, fixed.length + tail.length);
        System.arraycopy(tail, 0, result, fixed.length, tail.length);
        return result;
    }

    static byte[] frame(int opcode, long unique, long node, byte[] body) {
        ByteBuffer frame = body(Layout.IN_HEADER_BYTES + body.length);
        frame.putInt(Layout.IN_LENGTH, frame.capacity());
        frame.putInt(Layout.IN_OPCODE, opcode);
        frame.putLong(Layout.IN_UNIQUE, unique);
        frame.putLong(Layout.IN_NODE, node);
        frame.put(Layout.IN_HEADER_BYTES, body);
        return frame.array();
    }

    void send(int opcode, long unique, long node, byte[] body) throws SystemCallException {
        sendRaw(frame(opcode, unique, node, body));
    }

    void sendRaw(byte[] frame) throws SystemCallException {
        Memory.copy(frame, 0, memory, frame.length);
        long sent = Libc.write(socket, memory, frame.length);
        if (sent != frame.length) {
            throw new SystemCallException("write", "frame of " + frame.length, (int) -sent);
        }
    }

    /** Waits for the next answer. */
    Answer answer() throws SystemCallException {
        long bytes = Libc.read(socket, memory, MAX_IO_BYTES + 8192);
        if (bytes < Layout.OUT_HEADER_BYTES) {
            throw new SystemCallException("read", "answer", bytes < 0 ? (int) -bytes : Errno.ENODATA);
        }
        if (Memory.getInt(memory + Layout.OUT_LENGTH) != bytes) {
            throw new IllegalStateException(
                    "an answer of " + bytes + " bytes says it has " + Memory.getInt(memory + Layout.OUT_LENGTH));
        }
        return new Answer(
                -Memory.getInt(memory + Layout.OUT_ERROR),
                Memory.getLong(memory + Layout.OUT_UNIQUE),
                Memory.bytes(memory + Layout.OUT_HEADER_BYTES, (int) bytes - Layout.OUT_HEADER_BYTES));
    }

    Answer ask(int opcode, long unique, long node, byte[] body) throws SystemCallException {
        send(opcode, unique, node, body);
        return answer();
    }

    @Override
    public void close() {
        Libc.close(socket);
    }
}
