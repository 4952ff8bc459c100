package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import spigot.linux.Errno;

/** Requests that the library answers itself: forgetting, interrupts, the end, and what is not known. Runs on workers. */
final class Control {
    static final int FORGET = 2;
    static final int INIT = 26;
    static final int INTERRUPT = 36;
    static final int DESTROY = 38;
    static final int NOTIFY_REPLY = 41;
    static final int BATCH_FORGET = 42;

    private final Connection connection;
    private final FileSystem fileSystem;

    Control(Connection connection, FileSystem fileSystem) {
        this.connection = connection;
        this.fileSystem = fileSystem;
    }

    void serve(Channel channel, MemorySegment memory, long start, int opcode, int bytes) {
        long unique = memory.get(JAVA_LONG_UNALIGNED, start + Layout.IN_UNIQUE);
        long body = start + Layout.IN_HEADER_BYTES;
        int bodyBytes = bytes - Layout.IN_HEADER_BYTES;
        switch (opcode) {
            case FORGET -> {
                if (bodyBytes < Layout.FORGET_IN_BYTES) {
                    connection.malformed("FORGET");
                    return;
                }
                fileSystem.forget(
                        memory.get(JAVA_LONG_UNALIGNED, start + Layout.IN_NODE),
                        memory.get(JAVA_LONG_UNALIGNED, body + Layout.FORGET_IN_LOOKUPS));
            }
            case BATCH_FORGET -> forgetMany(memory, body, bodyBytes);
            case INTERRUPT -> {
                if (bodyBytes < Layout.INTERRUPT_IN_BYTES) {
                    connection.malformed("INTERRUPT");
                    return;
                }
                connection.interrupt(memory.get(JAVA_LONG_UNALIGNED, body + Layout.INTERRUPT_IN_UNIQUE), unique);
            }
            case DESTROY -> connection.reply(channel, unique, 0);
            case NOTIFY_REPLY -> connection.malformed("NOTIFY_REPLY"); // nothing was asked for
            case INIT -> connection.reply(channel, unique, -Errno.EIO);
            default -> connection.reply(channel, unique, -Errno.ENOSYS);
        }
    }

    private void forgetMany(MemorySegment memory, long body, int bodyBytes) {
        long count = bodyBytes < Layout.BATCH_FORGET_IN_BYTES
                ? -1
                : Integer.toUnsignedLong(memory.get(JAVA_INT_UNALIGNED, body + Layout.BATCH_FORGET_IN_COUNT));
        if (count < 0 || count * Layout.FORGET_ONE_BYTES > bodyBytes - Layout.BATCH_FORGET_IN_BYTES) {
            connection.malformed("BATCH_FORGET");
            return;
        }
        for (long i = 0; i < count; i++) {
            long at = body + Layout.BATCH_FORGET_IN_BYTES + i * Layout.FORGET_ONE_BYTES;
            fileSystem.forget(
                    memory.get(JAVA_LONG_UNALIGNED, at + Layout.FORGET_ONE_NODE),
                    memory.get(JAVA_LONG_UNALIGNED, at + Layout.FORGET_ONE_LOOKUPS));
        }
    }
}
