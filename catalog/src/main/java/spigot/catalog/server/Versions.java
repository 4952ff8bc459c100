package spigot.catalog.server;

import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.ReplicaEntry;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Kind;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.Version;

/** What a change of a file's attributes means for its version, and for the copies of it. Pure. */
final class Versions {
    private Versions() {}

    /** Whether they say the same. The time of the last access does not count: reading a file would change the catalog. */
    static boolean same(Attributes left, Attributes right) {
        return left.toBuilder()
                .setAccessedNanos(right.getAccessedNanos())
                .build()
                .equals(right);
    }

    /** Whether the content of the home's file can have changed. */
    static boolean contentDiffers(FileRecord record, Attributes seen, com.google.protobuf.ByteString symlinkTarget) {
        Attributes known = record.getAttributes();
        return switch (known.getKind()) {
            case REGULAR -> known.getSize() != seen.getSize() || known.getModifiedNanos() != seen.getModifiedNanos();
            case SYMLINK -> !record.getSymlinkTarget().equals(symlinkTarget);
            default -> false;
        };
    }

    static Version next(FileRecord record) {
        return Version.newBuilder()
                .setEpoch(record.getHomeEpoch())
                .setIndex(record.getVersion().getIndex() + 1)
                .build();
    }

    /** What is known of a further copy before its digests have been compared. */
    static ReplicaEntry compared(
            ReplicaEntry copy, Inode home, Attributes seen, com.google.protobuf.ByteString target) {
        return compared(
                copy.toBuilder().setSize(seen.getSize()).setModifiedNanos(seen.getModifiedNanos()),
                home.getRecord(),
                seen.getKind(),
                target);
    }

    private static ReplicaEntry compared(
            ReplicaEntry.Builder copy, FileRecord home, Kind kind, com.google.protobuf.ByteString target) {
        Attributes attributes = home.getAttributes();
        copy.setVersion(home.getVersion()).clearDetail();
        if (attributes.getKind() != kind) {
            return copy.setState(ReplicaState.DIFFERS)
                    .setDetail("it is a " + kind + ", the home's is a " + attributes.getKind())
                    .build();
        }
        return switch (kind) {
            case REGULAR -> regular(copy, attributes.getSize());
            case SYMLINK ->
                home.getSymlinkTarget().equals(target)
                        ? copy.setState(ReplicaState.VERIFIED).build()
                        : copy.setState(ReplicaState.DIFFERS)
                                .setDetail("it is a link to another path")
                                .build();
            default -> copy.setState(ReplicaState.VERIFIED).build();
        };
    }

    /** A copy of which only the size is known, after the home's file has changed. */
    static ReplicaEntry recompared(ReplicaEntry copy, FileRecord home) {
        ReplicaEntry.Builder next =
                copy.toBuilder().setVersion(home.getVersion()).clearDetail();
        return home.getAttributes().getKind() == Kind.REGULAR
                ? regular(next, home.getAttributes().getSize())
                : next.setState(ReplicaState.UNVERIFIED).build();
    }

    private static ReplicaEntry regular(ReplicaEntry.Builder copy, long homeSize) {
        if (copy.getSize() == homeSize) {
            return copy.setState(ReplicaState.UNVERIFIED).build();
        }
        return copy.setState(ReplicaState.DIFFERS)
                .setDetail("it has " + copy.getSize() + " bytes, the home's has " + homeSize)
                .build();
    }
}
