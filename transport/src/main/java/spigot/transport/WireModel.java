package spigot.transport;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.transport.wire.Kind;
import spigot.transport.wire.ReplicaInfo;

/**
 * The values of {@code model} as messages, and back. What comes from a peer is checked here: a message that can't be such a
 * value is refused with {@link FailureException} BAD_REQUEST. Pure.
 */
public final class WireModel {
    private WireModel() {}

    public static ByteString bytes(FileId id) {
        return UnsafeByteOperations.unsafeWrap(id.bytes());
    }

    public static ByteString bytes(NodeId id) {
        return id.equals(NodeId.NONE) ? ByteString.EMPTY : UnsafeByteOperations.unsafeWrap(id.bytes());
    }

    public static ByteString bytes(FileName name) {
        return UnsafeByteOperations.unsafeWrap(name.toArray());
    }

    public static ByteString bytes(RawBytes bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes.toArray());
    }

    public static FileId fileId(ByteString bytes) throws FailureException {
        try {
            return FileId.of(bytes.toByteArray());
        } catch (IllegalArgumentException e) {
            throw bad(e);
        }
    }

    /** Empty bytes are {@link NodeId#NONE}. */
    public static NodeId nodeId(ByteString bytes) throws FailureException {
        try {
            return bytes.isEmpty() ? NodeId.NONE : NodeId.of(bytes.toByteArray());
        } catch (IllegalArgumentException e) {
            throw bad(e);
        }
    }

    public static FileName fileName(ByteString bytes) throws FailureException {
        try {
            return FileName.of(bytes.toByteArray());
        } catch (IllegalArgumentException e) {
            throw bad(e);
        }
    }

    public static RawBytes rawBytes(ByteString bytes) {
        return RawBytes.copyOf(bytes.toByteArray());
    }

    public static spigot.transport.wire.Version wire(Version version) {
        return spigot.transport.wire.Version.newBuilder()
                .setEpoch(version.epoch())
                .setIndex(version.index())
                .build();
    }

    public static Version version(spigot.transport.wire.Version version) {
        return new Version(version.getEpoch(), version.getIndex());
    }

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
                .setHasXattrs(attributes.hasXattrs())
                .build();
    }

    public static Attributes attributes(spigot.transport.wire.Attributes wire) throws FailureException {
        return new Attributes(
                kind(wire.getKind()),
                wire.getMode() & 07777,
                wire.getUid(),
                wire.getGid(),
                wire.getSize(),
                wire.getAllocatedBytes(),
                wire.getLinks(),
                wire.getModifiedNanos(),
                wire.getChangedNanos(),
                wire.getAccessedNanos(),
                wire.getBornNanos(),
                wire.getDevice(),
                wire.getHasXattrs());
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

    public static FileKind kind(Kind kind) throws FailureException {
        return switch (kind) {
            case REGULAR -> FileKind.REGULAR;
            case DIRECTORY -> FileKind.DIRECTORY;
            case SYMLINK -> FileKind.SYMLINK;
            case FIFO -> FileKind.FIFO;
            case SOCKET -> FileKind.SOCKET;
            case CHARACTER_DEVICE -> FileKind.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> FileKind.BLOCK_DEVICE;
            case KIND_UNKNOWN, UNRECOGNIZED ->
                throw new FailureException(
                        spigot.transport.wire.Failure.Code.BAD_REQUEST, "attributes without a known file kind");
        };
    }

    public static spigot.transport.wire.FileRecord wire(FileRecord file) {
        return spigot.transport.wire.FileRecord.newBuilder()
                .setId(bytes(file.id()))
                .setAttributes(wire(file.attributes()))
                .setVersion(wire(file.version()))
                .setFragmentBytes(file.fragmentBytes())
                .setHome(bytes(file.home()))
                .setHomeEpoch(file.homeEpoch())
                .setSymlinkTarget(bytes(file.symlinkTarget()))
                .setReadOnly(file.readOnly())
                .build();
    }

    public static FileRecord fileRecord(spigot.transport.wire.FileRecord wire) throws FailureException {
        return new FileRecord(
                fileId(wire.getId()),
                attributes(wire.getAttributes()),
                version(wire.getVersion()),
                wire.getFragmentBytes(),
                nodeId(wire.getHome()),
                wire.getHomeEpoch(),
                rawBytes(wire.getSymlinkTarget()),
                wire.getReadOnly());
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

    public static ReplicaState replicaState(spigot.transport.wire.ReplicaState state) throws FailureException {
        return switch (state) {
            case HOME -> ReplicaState.HOME;
            case VERIFIED -> ReplicaState.VERIFIED;
            case UNVERIFIED -> ReplicaState.UNVERIFIED;
            case DIFFERS -> ReplicaState.DIFFERS;
            case WITHDRAWN -> ReplicaState.WITHDRAWN;
            case REPLICA_UNKNOWN, UNRECOGNIZED ->
                throw new FailureException(
                        spigot.transport.wire.Failure.Code.BAD_REQUEST, "a replica without a known state");
        };
    }

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
                wire.getSize(),
                version(wire.getVersion()),
                wire.getDetail());
    }

    private static FailureException bad(IllegalArgumentException cause) {
        return new FailureException(spigot.transport.wire.Failure.Code.BAD_REQUEST, String.valueOf(cause.getMessage()));
    }
}
