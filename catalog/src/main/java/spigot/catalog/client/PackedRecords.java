package spigot.catalog.client;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Version;
import spigot.model.XattrKinds;

/**
 * The memory layout of cached names and records, shared by the one that packs and those that read. One entry:
 *
 * <pre>
 * u8 name length, name bytes
 * u8 S_IFMT bits >> 12 | hasXattrs << 4 | readOnly << 5
 * 16 bytes id
 * fixed64 modified; zigzag varints: changed, accessed and born minus modified
 * varints: mode, uid, gid, size, allocated bytes, links, device, version epoch, version index, log2(fragment bytes) + 1,
 *     index of the home in the table of homes, home epoch, length of the symlink target; target bytes
 * varint kinds of the extended attributes, if hasXattrs
 * </pre>
 *
 * A usual file takes about 75 bytes and its name. Not safe for threads while packing; immutable afterwards.
 */
final class PackedRecords {
    private static final int KIND_SHIFT = 12;
    private static final @Nullable FileKind[] KINDS = new @Nullable FileKind[16];

    static {
        for (FileKind kind : FileKind.values()) {
            KINDS[kind.typeBits() >> KIND_SHIFT] = kind;
        }
    }

    private static final int KIND_MASK = 0x0f;
    private static final int HAS_XATTRS = 0x10;
    private static final int READ_ONLY = 0x20;

    private byte[] bytes;
    private int end;
    private final List<NodeId> homes = new ArrayList<>();

    PackedRecords(int expectedBytes) {
        bytes = new byte[Math.max(64, expectedBytes)];
    }

    /** @return where the entry begins */
    int append(byte[] name, FileRecord file) {
        int start = end;
        Attributes attributes = file.attributes();
        reserve(1
                + name.length
                + 1
                + FileId.BYTES
                + 8
                + 17 * 10
                + file.symlinkTarget().length());
        put8(name.length);
        put(name);
        put8((attributes.kind().typeBits() >> KIND_SHIFT)
                | (attributes.xattrs().isEmpty() ? 0 : HAS_XATTRS)
                | (file.readOnly() ? READ_ONLY : 0));
        put64(file.id().high());
        put64(file.id().low());
        put64(attributes.modifiedNanos());
        putZigzag(attributes.changedNanos() - attributes.modifiedNanos());
        putZigzag(attributes.accessedNanos() - attributes.modifiedNanos());
        putZigzag(attributes.bornNanos() - attributes.modifiedNanos());
        putVarint(attributes.mode());
        putVarint(Integer.toUnsignedLong(attributes.uid()));
        putVarint(Integer.toUnsignedLong(attributes.gid()));
        putVarint(attributes.size());
        putVarint(attributes.allocatedBytes());
        putVarint(Integer.toUnsignedLong(attributes.links()));
        putVarint(Integer.toUnsignedLong(attributes.device()));
        putVarint(file.version().epoch());
        putVarint(file.version().index());
        putVarint(file.fragmentBytes() == 0 ? 0 : 1 + Integer.numberOfTrailingZeros(file.fragmentBytes()));
        putVarint(homeIndex(file.home()));
        putVarint(file.homeEpoch());
        putVarint(file.symlinkTarget().length());
        put(file.symlinkTarget().toArray());
        if (!attributes.xattrs().isEmpty()) {
            putVarint(attributes.xattrs().bits());
        }
        return start;
    }

    /** Gives unused memory back. */
    void trim() {
        bytes = Arrays.copyOf(bytes, end);
    }

    int usedBytes() {
        return end;
    }

    byte[] name(int start) {
        int from = start + 1;
        return Arrays.copyOfRange(bytes, from, from + nameLength(start));
    }

    /** Compares without allocating. */
    int compareName(int start, byte[] name) {
        int from = start + 1;
        return Arrays.compareUnsigned(bytes, from, from + nameLength(start), name, 0, name.length);
    }

    FileKind kind(int start) {
        return kindOf(bytes[start + 1 + nameLength(start)]);
    }

    private static FileKind kindOf(int flags) {
        FileKind kind = KINDS[flags & KIND_MASK];
        if (kind == null) {
            throw new IllegalStateException("a packed record has no kind " + (flags & KIND_MASK));
        }
        return kind;
    }

    FileId id(int start) {
        int at = start + 2 + nameLength(start);
        return new FileId(get64(at), get64(at + 8));
    }

    FileRecord record(int start) {
        return new Cursor(start + 1 + nameLength(start)).record();
    }

    private int nameLength(int start) {
        return bytes[start] & 0xff;
    }

    private int homeIndex(NodeId home) {
        int index = homes.indexOf(home);
        if (index < 0) {
            homes.add(home);
            index = homes.size() - 1;
        }
        return index;
    }

    private void reserve(int more) {
        if (bytes.length - end < more) {
            long wanted = Math.max((long) end + more, bytes.length + (bytes.length >> 1));
            bytes = Arrays.copyOf(bytes, (int) Math.min(wanted, Integer.MAX_VALUE - 8));
        }
    }

    private void put8(int value) {
        bytes[end++] = (byte) value;
    }

    private void put64(long value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes[end++] = (byte) (value >>> shift);
        }
    }

    private void put(byte[] value) {
        System.arraycopy(value, 0, bytes, end, value.length);
        end += value.length;
    }

    private void putZigzag(long value) {
        putVarint((value << 1) ^ (value >> 63));
    }

    private void putVarint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[end++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[end++] = (byte) rest;
    }

    private long get64(int at) {
        long value = 0;
        for (int i = at; i < at + 8; i++) {
            value = value << 8 | (bytes[i] & 0xff);
        }
        return value;
    }

    /** Reads one record; escape analysis keeps it off the heap. */
    private final class Cursor {
        private int at;

        Cursor(int at) {
            this.at = at;
        }

        FileRecord record() {
            int flags = bytes[at++];
            FileId id = new FileId(take64(), take64());
            long modified = take64();
            long changed = modified + takeZigzag();
            long accessed = modified + takeZigzag();
            long born = modified + takeZigzag();
            int mode = (int) takeVarint();
            int uid = (int) takeVarint();
            int gid = (int) takeVarint();
            long size = takeVarint();
            long allocated = takeVarint();
            int links = (int) takeVarint();
            int device = (int) takeVarint();
            Version version = new Version(takeVarint(), takeVarint());
            int logFragment = (int) takeVarint();
            NodeId home = homes.get((int) takeVarint());
            long homeEpoch = takeVarint();
            int targetLength = (int) takeVarint();
            RawBytes target = targetLength == 0
                    ? RawBytes.EMPTY
                    : RawBytes.copyOf(Arrays.copyOfRange(bytes, at, at + targetLength));
            at += targetLength;
            XattrKinds xattrs = (flags & HAS_XATTRS) == 0 ? XattrKinds.NONE : new XattrKinds((int) takeVarint());
            Attributes attributes = new Attributes(
                    kindOf(flags),
                    mode,
                    uid,
                    gid,
                    size,
                    allocated,
                    links,
                    modified,
                    changed,
                    accessed,
                    born,
                    device,
                    xattrs);
            return new FileRecord(
                    id,
                    attributes,
                    version,
                    logFragment == 0 ? 0 : 1 << (logFragment - 1),
                    home,
                    homeEpoch,
                    target,
                    (flags & READ_ONLY) != 0);
        }

        private long take64() {
            long value = get64(at);
            at += 8;
            return value;
        }

        private long takeZigzag() {
            long value = takeVarint();
            return (value >>> 1) ^ -(value & 1);
        }

        private long takeVarint() {
            long value = 0;
            for (int shift = 0; ; shift += 7) {
                byte b = bytes[at++];
                value |= (long) (b & 0x7f) << shift;
                if (b >= 0) {
                    return value;
                }
            }
        }
    }
}
