package spigot.catalog.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.NodeId;

/** How the keys of the {@link Table tables} are put together and taken apart. Ids are 16 bytes, big-endian. Pure. */
final class Keys {
    static final int ID = FileId.BYTES;

    private Keys() {}

    static byte[] file(FileId id) {
        return id.bytes();
    }

    static byte[] entry(FileId directory, byte[] name) {
        return join(directory.bytes(), name);
    }

    static byte[] name(FileId id, FileId directory, byte[] name) {
        return join(id.bytes(), directory.bytes(), name);
    }

    static byte[] replica(FileId id, NodeId server) {
        return join(id.bytes(), server.bytes());
    }

    static byte[] served(NodeId server, FileId publication, FileId id) {
        return join(server.bytes(), publication.bytes(), id.bytes());
    }

    static byte[] publication(NodeId server, FileId root) {
        return join(server.bytes(), root.bytes());
    }

    static byte[] answered(NodeId server, int place) {
        return join(
                server.bytes(), ByteBuffer.allocate(Integer.BYTES).putInt(place).array());
    }

    static byte[] metadata(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] number(long value) {
        return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
    }

    static long number(byte @Nullable [] value) {
        return value == null ? 0 : ByteBuffer.wrap(value).getLong();
    }

    /** The id that begins at the offset. */
    static FileId fileAt(byte[] key, int offset) {
        ByteBuffer buffer = ByteBuffer.wrap(key, offset, ID);
        return new FileId(buffer.getLong(), buffer.getLong());
    }

    /** The id that begins at the offset. */
    static NodeId nodeAt(byte[] key, int offset) {
        ByteBuffer buffer = ByteBuffer.wrap(key, offset, ID);
        return new NodeId(buffer.getLong(), buffer.getLong());
    }

    static byte[] from(byte[] key, int offset) {
        return Arrays.copyOfRange(key, offset, key.length);
    }

    static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    static byte[] join(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] joined = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, joined, at, part.length);
            at += part.length;
        }
        return joined;
    }
}
