package spigot.transport;

import com.google.protobuf.ByteString;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.Fragments;
import spigot.model.LogicalPath;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Kind;
import spigot.transport.wire.ReplicaInfo;

/**
 * The values of the model as messages and back. Whatever a peer sends is checked here: what no value can be made of throws a
 * {@link FailureException} with BAD_REQUEST, never a runtime exception.
 */
public final class Messages {
    private static final int MAX_MODE = 07777;
    /** PATH_MAX of Linux ({@code <linux/limits.h>}): what a program can name at once. */
    private static final int MAX_PATH_BYTES = 4096;

    private Messages() {}

    // ---- ids, names, bytes

    public static ByteString bytes(FileId id) {
        return ByteString.copyFrom(id.bytes());
    }

    public static ByteString bytes(NodeId id) {
        return ByteString.copyFrom(id.bytes());
    }

    public static ByteString bytes(FileName name) {
        return ByteString.copyFrom(name.toArray());
    }

    public static ByteString bytes(RawBytes bytes) {
        return ByteString.copyFrom(bytes.toArray());
    }

    public static ByteString bytes(LogicalPath path) {
        if (path.isRoot()) {
            return ByteString.copyFromUtf8("/");
        }
        ByteString.Output out = ByteString.newOutput();
        for (FileName name : path.names()) {
            out.write('/');
            byte[] raw = name.toArray();
            out.write(raw, 0, raw.length);
        }
        return out.toByteString();
    }

    public static FileId fileId(ByteString wire) throws FailureException {
        return decode("file id", () -> FileId.of(wire.toByteArray()));
    }

    public static NodeId nodeId(ByteString wire) throws FailureException {
        return decode("node id", () -> NodeId.of(wire.toByteArray()));
    }

    public static FileName name(ByteString wire) throws FailureException {
        return decode("file name", () -> FileName.of(wire.toByteArray()));
    }

    public static LogicalPath path(ByteString wire) throws FailureException {
        require(wire.size() <= MAX_PATH_BYTES, "logical path", "it has " + wire.size() + " bytes");
        return decode("logical path", () -> LogicalPath.parse(raw(wire)));
    }

    public static RawBytes raw(ByteString wire) {
        return RawBytes.copyOf(wire.toByteArray());
    }

    /** Empty stands for no node. */
    public static NodeId nodeIdOrNone(ByteString wire) throws FailureException {
        return wire.isEmpty() ? NodeId.NONE : nodeId(wire);
    }

    // ---- versions

    public static spigot.transport.wire.Version wire(Version version) {
        return spigot.transport.wire.Version.newBuilder()
                .setEpoch(version.epoch())
                .setIndex(version.index())
                .build();
    }

    public static Version version(spigot.transport.wire.Version wire) {
        return new Version(wire.getEpoch(), wire.getIndex());
    }

    // ---- attributes

    public static spigot.transport.wire.Attributes wire(Attributes attributes) {
        return spigot.transport.wire.Attributes.newBuilder()
                .setKind(wire(attributes.kind()))
                .setMode(attributes.mode())
                .setUid(attributes.uid())
                .setGid(attributes.gid())
                .setSize(attributes.size())
                .setAllocatedBytes(attributes.allocatedBytes())
                .setLinks(attributes.links())
                .setModifiedNanos(attributes.modifiedNanos())
                .setChangedNanos(attributes.changedNanos())
                .setAccessedNanos(attributes.accessedNanos())
                .setBornNanos(attributes.bornNanos())
                .setDevice(attributes.device())
                .setHasXattrs(!attributes.xattrs().isEmpty())
                .setXattrKinds(
                        attributes.xattrs().isKnown() ? attributes.xattrs().bits() : 0)
                .build();
    }

    public static Attributes attributes(spigot.transport.wire.Attributes wire) throws FailureException {
        require((wire.getMode() & ~MAX_MODE) == 0, "mode", Integer.toUnsignedString(wire.getMode(), 8));
        return new Attributes(
                kind(wire.getKind()),
                wire.getMode(),
                wire.getUid(),
                wire.getGid(),
                notNegative(wire.getSize(), "size"),
                notNegative(wire.getAllocatedBytes(), "allocated bytes"),
                notNegative(wire.getLinks(), "number of links"),
                wire.getModifiedNanos(),
                wire.getChangedNanos(),
                wire.getAccessedNanos(),
                wire.getBornNanos(),
                wire.getDevice(),
                xattrs(wire));
    }

    private static XattrKinds xattrs(spigot.transport.wire.Attributes wire) {
        if (!wire.getHasXattrs()) {
            return XattrKinds.NONE;
        }
        return wire.getXattrKinds() == 0 ? XattrKinds.NOT_KNOWN_WHICH : new XattrKinds(wire.getXattrKinds());
    }

    public static Kind wire(FileKind kind) {
        return switch (kind) {
            case REGULAR -> Kind.REGULAR;
            case DIRECTORY -> Kind.DIRECTORY;
            case SYMLINK -> Kind.SYMLINK;
            case FIFO -> Kind.FIFO;
            case SOCKET -> Kind.SOCKET;
            case CHARACTER_DEVICE -> Kind.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> Kind.BLOCK_DEVICE;
        };
    }

    public static FileKind kind(Kind wire) throws FailureException {
        return switch (wire) {
            case REGULAR -> FileKind.REGULAR;
            case DIRECTORY -> FileKind.DIRECTORY;
            case SYMLINK -> FileKind.SYMLINK;
            case FIFO -> FileKind.FIFO;
            case SOCKET -> FileKind.SOCKET;
            case CHARACTER_DEVICE -> FileKind.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> FileKind.BLOCK_DEVICE;
            case KIND_UNKNOWN, UNRECOGNIZED -> throw bad("file kind", wire.name());
        };
    }

    // ---- records

    public static spigot.transport.wire.FileRecord wire(FileRecord record) {
        spigot.transport.wire.FileRecord.Builder wire = spigot.transport.wire.FileRecord.newBuilder()
                .setId(bytes(record.id()))
                .setAttributes(wire(record.attributes()))
                .setVersion(wire(record.version()))
                .setFragmentBytes(record.fragmentBytes())
                .setHomeEpoch(record.homeEpoch())
                .setReadOnly(record.readOnly());
        if (!record.home().equals(NodeId.NONE)) {
            wire.setHome(bytes(record.home()));
        }
        if (!record.symlinkTarget().isEmpty()) {
            wire.setSymlinkTarget(bytes(record.symlinkTarget()));
        }
        return wire.build();
    }

    public static FileRecord record(spigot.transport.wire.FileRecord wire) throws FailureException {
        return new FileRecord(
                fileId(wire.getId()),
                attributes(wire.getAttributes()),
                version(wire.getVersion()),
                decode("fragment size", () -> Fragments.check(wire.getFragmentBytes())),
                nodeIdOrNone(wire.getHome()),
                wire.getHomeEpoch(),
                raw(wire.getSymlinkTarget()),
                wire.getReadOnly());
    }

    // ---- replicas

    public static ReplicaInfo wire(Replica replica) {
        return ReplicaInfo.newBuilder()
                .setServer(bytes(replica.server()))
                .setServerName(replica.serverName())
                .setSite(replica.site())
                .setAddress(replica.address())
                .setState(wire(replica.state()))
                .setSize(replica.size())
                .setVersion(wire(replica.version()))
                .setDetail(replica.detail())
                .build();
    }

    public static Replica replica(ReplicaInfo wire) throws FailureException {
        return new Replica(
                nodeId(wire.getServer()),
                wire.getServerName(),
                wire.getSite(),
                wire.getAddress(),
                replicaState(wire.getState()),
                notNegative(wire.getSize(), "size"),
                version(wire.getVersion()),
                wire.getDetail());
    }

    public static spigot.transport.wire.ReplicaState wire(ReplicaState state) {
        return switch (state) {
            case HOME -> spigot.transport.wire.ReplicaState.HOME;
            case VERIFIED -> spigot.transport.wire.ReplicaState.VERIFIED;
            case UNVERIFIED -> spigot.transport.wire.ReplicaState.UNVERIFIED;
            case DIFFERS -> spigot.transport.wire.ReplicaState.DIFFERS;
            case WITHDRAWN -> spigot.transport.wire.ReplicaState.WITHDRAWN;
        };
    }

    public static ReplicaState replicaState(spigot.transport.wire.ReplicaState wire) throws FailureException {
        return switch (wire) {
            case HOME -> ReplicaState.HOME;
            case VERIFIED -> ReplicaState.VERIFIED;
            case UNVERIFIED -> ReplicaState.UNVERIFIED;
            case DIFFERS -> ReplicaState.DIFFERS;
            case WITHDRAWN -> ReplicaState.WITHDRAWN;
            case REPLICA_UNKNOWN, UNRECOGNIZED -> throw bad("replica state", wire.name());
        };
    }

    // ---- checks

    /** @throws FailureException BAD_REQUEST when the number, which is unsigned on the wire, has no place in a signed one */
    public static long notNegative(long value, String what) throws FailureException {
        require(value >= 0, what, Long.toUnsignedString(value));
        return value;
    }

    /** @throws FailureException BAD_REQUEST when the number, which is unsigned on the wire, has no place in a signed one */
    public static int notNegative(int value, String what) throws FailureException {
        require(value >= 0, what, Integer.toUnsignedString(value));
        return value;
    }

    /** A BAD_REQUEST to throw. */
    public static FailureException bad(String what, String value) {
        return new FailureException(Failure.Code.BAD_REQUEST, "the message has no valid " + what + ": " + value);
    }

    private static void require(boolean valid, String what, String value) throws FailureException {
        if (!valid) {
            throw bad(what, value);
        }
    }

    private static <T> T decode(String what, Decoding<T> decoding) throws FailureException {
        try {
            return decoding.decode();
        } catch (IllegalArgumentException e) {
            FailureException failure = bad(what, String.valueOf(e.getMessage()));
            failure.initCause(e);
            throw failure;
        }
    }

    private interface Decoding<T> {
        T decode();
    }
}
