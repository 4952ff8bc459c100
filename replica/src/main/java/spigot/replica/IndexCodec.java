package spigot.replica;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.LogicalPath;
import spigot.model.RawBytes;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;

/** Keys and values of the index, big-endian. Pure. */
final class IndexCodec {
    /** Of the whole index. */
    static final int FORMAT = 2;

    /**
     * Its rows say of extended attributes only whether there are any. Read as what it means, and looked at again by the next scan:
     * {@link FileChange#between}.
     */
    static final int FORMAT_WITHOUT_XATTR_KINDS = 1;

    private static final int TYPE_SHIFT = 12;
    private static final int ROW_BYTES = 16 + 4 + 8 + 8 + 1 + 4 * 3 + 8 * 2 + 4 + 8 * 4 + 4 + 1 + 8 * 2 + 8 + 4 + 1;

    private IndexCodec() {}

    // ---- keys

    static byte[] number(int publication) {
        return ByteBuffer.allocate(4).putInt(publication).array();
    }

    /** All names of a directory begin with it, in the order of their bytes. */
    static byte[] directoryPrefix(int publication, FileId directory) {
        return put(ByteBuffer.allocate(20).putInt(publication), directory).array();
    }

    static byte[] entry(int publication, FileId directory, RawBytes name) {
        return put(ByteBuffer.allocate(20 + name.length()).putInt(publication), directory)
                .put(name.toArray())
                .array();
    }

    static FileId entryDirectory(byte[] key) {
        return FileId.of(Arrays.copyOfRange(key, 4, 20));
    }

    static RawBytes entryName(byte[] key) {
        return RawBytes.copyOf(Arrays.copyOfRange(key, 20, key.length));
    }

    static byte[] fileName(FileId file, FileId directory, RawBytes name) {
        return put(put(ByteBuffer.allocate(32 + name.length()), file), directory)
                .put(name.toArray())
                .array();
    }

    static FileId fileNameDirectory(byte[] key) {
        return FileId.of(Arrays.copyOfRange(key, 16, 32));
    }

    static RawBytes fileNameName(byte[] key) {
        return RawBytes.copyOf(Arrays.copyOfRange(key, 32, key.length));
    }

    static byte[] inode(int publication, long device, long inode) {
        return ByteBuffer.allocate(20)
                .putInt(publication)
                .putLong(device)
                .putLong(inode)
                .array();
    }

    static byte[] fragment(FileId file, long fragment) {
        return put(ByteBuffer.allocate(24), file).putLong(fragment).array();
    }

    static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    // ---- values

    static byte[] publication(Publication publication) {
        byte[] source = publication.source().toArray();
        byte[] path = rawPath(publication.path());
        FileId root = publication.root();
        ByteBuffer value = ByteBuffer.allocate(4 + source.length + 4 + path.length + 3 + 16);
        value.putInt(source.length).put(source).putInt(path.length).put(path);
        value.put(flag(publication.readOnly())).put(flag(publication.replica())).put(flag(root != null));
        return put(value, root == null ? FileId.ROOT : root).array();
    }

    static Publication publication(int number, byte[] bytes) {
        ByteBuffer value = ByteBuffer.wrap(bytes);
        RawBytes source = RawBytes.copyOf(take(value, value.getInt()));
        LogicalPath path = LogicalPath.parse(RawBytes.copyOf(take(value, value.getInt())));
        boolean readOnly = value.get() != 0;
        boolean replica = value.get() != 0;
        boolean hasRoot = value.get() != 0;
        FileId root = id(value);
        return new Publication(number, source, path, readOnly, replica, hasRoot ? root : null);
    }

    static byte[] file(IndexedFile file) {
        Attributes attributes = file.attributes();
        return put(ByteBuffer.allocate(ROW_BYTES), file.id())
                .putInt(file.publication())
                .putLong(file.device())
                .putLong(file.inode())
                .put((byte) (attributes.kind().typeBits() >> TYPE_SHIFT))
                .putInt(attributes.mode())
                .putInt(attributes.uid())
                .putInt(attributes.gid())
                .putLong(attributes.size())
                .putLong(attributes.allocatedBytes())
                .putInt(attributes.links())
                .putLong(attributes.modifiedNanos())
                .putLong(attributes.changedNanos())
                .putLong(attributes.accessedNanos())
                .putLong(attributes.bornNanos())
                .putInt(attributes.device())
                .put((byte) attributes.xattrs().bits())
                .putLong(file.version().epoch())
                .putLong(file.version().index())
                .putLong(file.homeEpoch())
                .putInt(file.fragmentBytes())
                .put(code(file.state()))
                .array();
    }

    static IndexedFile file(byte[] bytes) {
        ByteBuffer value = ByteBuffer.wrap(bytes);
        FileId id = id(value);
        int publication = value.getInt();
        long device = value.getLong();
        long inode = value.getLong();
        Attributes attributes = new Attributes(
                FileKind.ofMode(value.get() << TYPE_SHIFT),
                value.getInt(),
                value.getInt(),
                value.getInt(),
                value.getLong(),
                value.getLong(),
                value.getInt(),
                value.getLong(),
                value.getLong(),
                value.getLong(),
                value.getLong(),
                value.getInt(),
                new XattrKinds(value.get()));
        return new IndexedFile(
                id,
                publication,
                device,
                inode,
                attributes,
                new Version(value.getLong(), value.getLong()),
                value.getLong(),
                value.getInt(),
                state(value.get()));
    }

    private static byte code(ReplicaState state) {
        return switch (state) {
            case HOME -> 1;
            case VERIFIED -> 2;
            case UNVERIFIED -> 3;
            case DIFFERS -> 4;
            case WITHDRAWN -> 5;
        };
    }

    private static ReplicaState state(byte code) {
        return switch (code) {
            case 1 -> ReplicaState.HOME;
            case 2 -> ReplicaState.VERIFIED;
            case 3 -> ReplicaState.UNVERIFIED;
            case 4 -> ReplicaState.DIFFERS;
            case 5 -> ReplicaState.WITHDRAWN;
            default -> throw new IllegalArgumentException("the index has an unknown state " + code);
        };
    }

    static byte[] rawPath(LogicalPath path) {
        if (path.isRoot()) {
            return "/".getBytes(StandardCharsets.US_ASCII);
        }
        ByteBuffer bytes = ByteBuffer.allocate(path.names().stream()
                .mapToInt(name -> 1 + name.bytes().length())
                .sum());
        path.names().forEach(name -> bytes.put((byte) '/').put(name.toArray()));
        return bytes.array();
    }

    private static byte flag(boolean set) {
        return (byte) (set ? 1 : 0);
    }

    private static byte[] take(ByteBuffer value, int length) {
        byte[] bytes = new byte[length];
        value.get(bytes);
        return bytes;
    }

    private static FileId id(ByteBuffer value) {
        return new FileId(value.getLong(), value.getLong());
    }

    private static ByteBuffer put(ByteBuffer buffer, FileId id) {
        return buffer.putLong(id.high()).putLong(id.low());
    }
}
