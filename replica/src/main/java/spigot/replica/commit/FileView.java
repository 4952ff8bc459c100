package spigot.replica.commit;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import spigot.model.FileId;
import spigot.model.Fingerprint;
import spigot.model.Version;
import spigot.replica.commit.LogRecord.ChangedOutside;
import spigot.replica.commit.LogRecord.Folded;
import spigot.replica.commit.LogRecord.Installed;
import spigot.replica.commit.LogRecord.Mutated;

/** One version of a file: what its commits have made of it so far. Immutable; made by the records of the log in their order, purely. */
public final class FileView {
    private final FileId file;
    private final long epoch;
    private final Version version;
    private final long size;
    private final long modifiedNanos;
    private final Fingerprint fingerprint;
    private final long lastIndex;
    private final long foldedThrough;
    private final DeltaMap delta;
    private final ChangeHistory history;

    private FileView(Stored stored, DeltaMap delta, ChangeHistory history) {
        this.file = stored.file();
        this.epoch = stored.epoch();
        this.version = stored.version();
        this.size = stored.size();
        this.modifiedNanos = stored.modifiedNanos();
        this.fingerprint = stored.fingerprint();
        this.lastIndex = stored.lastIndex();
        this.foldedThrough = stored.foldedThrough();
        this.delta = delta;
        this.history = history;
    }

    /** All but what the remaining records of the log tell. */
    record Stored(
            FileId file,
            long epoch,
            Version version,
            long size,
            long modifiedNanos,
            Fingerprint fingerprint,
            long lastIndex,
            long foldedThrough) {}

    Stored stored() {
        return new Stored(file, epoch, version, size, modifiedNanos, fingerprint, lastIndex, foldedThrough);
    }

    static FileView restored(Stored stored) {
        return new FileView(stored, DeltaMap.EMPTY, ChangeHistory.from(stored.version()));
    }

    public FileId file() {
        return file;
    }

    /** The installed one, which may be newer than that of the version. */
    public long epoch() {
        return epoch;
    }

    public Version version() {
        return version;
    }

    public long size() {
        return size;
    }

    public long modifiedNanos() {
        return modifiedNanos;
    }

    /** What the published file was when it was last folded into, or looked at. */
    public Fingerprint fingerprint() {
        return fingerprint;
    }

    /** Whether the published file is not yet what this version says. */
    public boolean isDirty() {
        return foldedThrough < lastIndex || size != fingerprint.size();
    }

    /** Of the newest record that the content comes from. */
    long lastIndex() {
        return lastIndex;
    }

    DeltaMap delta() {
        return delta;
    }

    ChangedRanges changedSince(Version older, Set<Guard> guards) {
        return history.since(older, version, guards);
    }

    static FileView installed(long index, Installed record) {
        return restored(new Stored(
                record.file(),
                record.epoch(),
                record.version(),
                record.fingerprint().size(),
                record.fingerprint().modifiedNanos(),
                record.fingerprint(),
                index,
                index));
    }

    /** The same content, under a newer epoch. */
    FileView withEpoch(long newer) {
        Stored now = new Stored(file, newer, version, size, modifiedNanos, fingerprint, lastIndex, foldedThrough);
        return new FileView(now, delta, history);
    }

    FileView withoutHistory() {
        return new FileView(stored(), delta, ChangeHistory.from(version));
    }

    FileView mutated(long index, Mutated record, Segment segment, long dataPosition) {
        List<ChangedRanges.Range> ranges = new ArrayList<>();
        for (Change change : record.changes()) {
            ranges.add(new ChangedRanges.Range(change.offset(), change.end()));
        }
        if (record.size() > size) {
            ranges.add(new ChangedRanges.Range(size, record.size()));
        }
        Stored now = new Stored(
                file,
                epoch,
                record.version(),
                record.size(),
                record.modifiedNanos(),
                fingerprint,
                index,
                foldedThrough);
        return new FileView(
                now, deltaWith(index, record, segment, dataPosition), history.with(record.version(), ranges));
    }

    /** For a record whose other effects are known already; {@link #foldedThrough} says whether its bytes are. */
    FileView withBytesOf(long index, Mutated record, Segment segment, long dataPosition) {
        return index <= foldedThrough
                ? this
                : new FileView(stored(), deltaWith(index, record, segment, dataPosition), history);
    }

    private DeltaMap deltaWith(long index, Mutated record, Segment segment, long dataPosition) {
        DeltaMap with = delta;
        long position = dataPosition;
        for (Change change : record.changes()) {
            with = with.with(
                    change.offset(), change.end(), index, change.data() ? segment : null, change.data() ? position : 0);
            position += change.data() ? change.length() : 0;
        }
        return with;
    }

    FileView folded(Folded record, Set<Guard> guards) {
        boolean exact = guards.contains(Guard.DROP_ONLY_WHAT_WAS_FOLDED);
        Stored now = new Stored(
                file, epoch, version, size, modifiedNanos, record.fingerprint(), lastIndex, record.through());
        return new FileView(now, exact ? delta.withoutThrough(record.through()) : DeltaMap.EMPTY, history);
    }

    FileView changedOutside(ChangedOutside record) {
        Stored now = new Stored(
                file,
                epoch,
                record.version(),
                record.size(),
                record.fingerprint().modifiedNanos(),
                record.fingerprint(),
                lastIndex,
                foldedThrough);
        return new FileView(now, delta, ChangeHistory.from(record.version()));
    }

    /** What a change of the published file by others makes of the size: theirs, but for what commits have said of it. */
    long sizeWith(long foreign) {
        return size != fingerprint.size() ? size : Math.max(foreign, delta.dataEnd());
    }
}
