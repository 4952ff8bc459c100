package spigot.replica.commit;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.Fingerprint;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.replica.commit.LogRecord.ChangedOutside;
import spigot.replica.commit.LogRecord.Folded;
import spigot.replica.commit.LogRecord.Forgotten;
import spigot.replica.commit.LogRecord.Installed;
import spigot.replica.commit.LogRecord.Mutated;
import spigot.replica.commit.LogRecord.SessionEnded;
import spigot.replica.commit.OperationKey.SessionKey;

/** Records as bytes, big-endian: the description, without the header of {@link RecordLayout} and without the data. Stateless. */
final class RecordCodec {
    private static final byte INSTALLED = 1;
    private static final byte MUTATED = 2;
    private static final byte FOLDED = 3;
    private static final byte CHANGED_OUTSIDE = 4;
    private static final byte FORGOTTEN = 5;
    private static final byte SESSION_ENDED = 6;

    private static final int FIXED_BYTES = 256;
    private static final int CHANGE_BYTES = 17;

    private RecordCodec() {}

    static ByteBuffer encode(LogRecord record) {
        int changes = record instanceof Mutated mutated ? mutated.changes().size() : 0;
        ByteBuffer to = ByteBuffer.allocate(FIXED_BYTES + changes * CHANGE_BYTES);
        switch (record) {
            case Installed installed -> {
                putFile(to.put(INSTALLED), installed.file()).putLong(installed.epoch());
                putVersion(to, installed.version());
                putFingerprint(to, installed.fingerprint());
            }
            case Mutated mutated -> putMutated(to.put(MUTATED), mutated);
            case Folded folded -> {
                putFile(to.put(FOLDED), folded.file()).putLong(folded.through());
                putFingerprint(to, folded.fingerprint());
            }
            case ChangedOutside changed -> {
                putVersion(putFile(to.put(CHANGED_OUTSIDE), changed.file()), changed.version())
                        .putLong(changed.size());
                putFingerprint(to, changed.fingerprint());
            }
            case Forgotten forgotten -> putFile(to.put(FORGOTTEN), forgotten.file());
            case SessionEnded ended -> putSession(to.put(SESSION_ENDED), ended.session());
        }
        return to.flip();
    }

    private static void putMutated(ByteBuffer to, Mutated mutated) {
        putVersion(putFile(to, mutated.file()), mutated.version())
                .putLong(mutated.size())
                .putLong(mutated.modifiedNanos());
        OperationKey key = mutated.key();
        to.put((byte) (key == null ? 0 : 1));
        if (key != null) {
            putSession(to, key.sessionKey()).putLong(key.number()).putLong(key.heardBelow());
        }
        to.putInt(mutated.changes().size());
        for (Change change : mutated.changes()) {
            to.putLong(change.offset()).putLong(change.length()).put((byte) (change.data() ? 1 : 0));
        }
    }

    /** @return null when these bytes are no record of this release */
    static @Nullable LogRecord decode(ByteBuffer from) {
        try {
            return switch (from.get()) {
                case INSTALLED -> new Installed(getFile(from), from.getLong(), getVersion(from), getFingerprint(from));
                case MUTATED -> getMutated(from);
                case FOLDED -> new Folded(getFile(from), from.getLong(), getFingerprint(from));
                case CHANGED_OUTSIDE ->
                    new ChangedOutside(getFile(from), getVersion(from), from.getLong(), getFingerprint(from));
                case FORGOTTEN -> new Forgotten(getFile(from));
                case SESSION_ENDED -> new SessionEnded(getSession(from));
                default -> null;
            };
        } catch (BufferUnderflowException e) {
            return null;
        }
    }

    private static @Nullable Mutated getMutated(ByteBuffer from) {
        FileId file = getFile(from);
        Version version = getVersion(from);
        long size = from.getLong();
        long modifiedNanos = from.getLong();
        OperationKey key = null;
        if (from.get() != 0) {
            SessionKey session = getSession(from);
            key = new OperationKey(session.client(), session.session(), from.getLong(), from.getLong());
        }
        int count = from.getInt();
        if (count < 0 || count > CommitLimits.MOST_RANGES + 1) {
            return null;
        }
        List<Change> changes = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            changes.add(new Change(from.getLong(), from.getLong(), from.get() != 0));
        }
        return new Mutated(file, version, size, modifiedNanos, changes, key);
    }

    static ByteBuffer putFile(ByteBuffer to, FileId file) {
        return to.putLong(file.high()).putLong(file.low());
    }

    static FileId getFile(ByteBuffer from) {
        return new FileId(from.getLong(), from.getLong());
    }

    static ByteBuffer putVersion(ByteBuffer to, Version version) {
        return to.putLong(version.epoch()).putLong(version.index());
    }

    static Version getVersion(ByteBuffer from) {
        return new Version(from.getLong(), from.getLong());
    }

    static ByteBuffer putSession(ByteBuffer to, SessionKey session) {
        return to.putLong(session.client().high())
                .putLong(session.client().low())
                .putLong(session.session());
    }

    static SessionKey getSession(ByteBuffer from) {
        return new SessionKey(new NodeId(from.getLong(), from.getLong()), from.getLong());
    }

    static ByteBuffer putFingerprint(ByteBuffer to, Fingerprint fingerprint) {
        return to.putLong(fingerprint.device())
                .putLong(fingerprint.inode())
                .putLong(fingerprint.size())
                .putLong(fingerprint.modifiedNanos())
                .putLong(fingerprint.changedNanos())
                .putLong(fingerprint.bornNanos());
    }

    static Fingerprint getFingerprint(ByteBuffer from) {
        return new Fingerprint(
                from.getLong(), from.getLong(), from.getLong(), from.getLong(), from.getLong(), from.getLong());
    }
}
