package spigot.replica.commit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.replica.commit.CommitRefusedException.Reason;
import spigot.replica.commit.LogRecord.ChangedOutside;
import spigot.replica.commit.LogRecord.Folded;
import spigot.replica.commit.LogRecord.Forgotten;
import spigot.replica.commit.LogRecord.Installed;
import spigot.replica.commit.LogRecord.Mutated;
import spigot.replica.commit.LogRecord.SessionEnded;

/**
 * What the durable records of the log make: the same function of them when they become durable and when they are read again at a
 * start. No input, output or clock. Under the lock of {@link CommitQueue}; {@link #find}
 * from any thread.
 */
final class CommitState {
    /** Of so many files the history is kept. */
    static final int MOST_HISTORIES = 4096;

    private final Set<Guard> guards;
    private final Map<FileId, OpenFile> files = new ConcurrentHashMap<>();
    private final Answers answers = new Answers();

    /** In the order in which they became dirty. */
    private final Map<FileId, OpenFile> dirty = new LinkedHashMap<>();

    private final Map<FileId, Boolean> histories = new LinkedHashMap<>(16, 0.75f, true);
    private long appliedIndex;
    private int ranges;

    CommitState(Set<Guard> guards) {
        this.guards = guards;
    }

    @Nullable
    OpenFile find(FileId file) {
        return files.get(file);
    }

    /** Null when it is on its way out as well. */
    @Nullable
    OpenFile findInstalled(FileId id) {
        OpenFile file = files.get(id);
        return file == null || file.forgotten ? null : file;
    }

    /** @throws CommitRefusedException NOT_INSTALLED */
    OpenFile installed(FileId id) throws CommitRefusedException {
        OpenFile file = findInstalled(id);
        if (file == null) {
            throw CommitRefusedException.of(Reason.NOT_INSTALLED, id, "no epoch was installed");
        }
        return file;
    }

    int size() {
        return files.size();
    }

    Answers answers() {
        return answers;
    }

    /** All ranges that are not folded. */
    int ranges() {
        return ranges;
    }

    long appliedIndex() {
        return appliedIndex;
    }

    /** Those dirty for longest first. */
    Collection<OpenFile> dirty() {
        return dirty.values();
    }

    boolean hasDirty() {
        return !dirty.isEmpty();
    }

    Collection<OpenFile> all() {
        return files.values();
    }

    List<FileView> views() {
        List<FileView> all = new ArrayList<>(files.size());
        files.values().forEach(file -> all.add(file.view));
        return all;
    }

    /** The oldest record whose bytes are in no file. */
    long oldestNeeded() {
        long oldest = Long.MAX_VALUE;
        for (OpenFile file : dirty.values()) {
            oldest = Math.min(oldest, file.view.delta().oldestIndex());
        }
        return oldest;
    }

    void restore(Snapshot snapshot, long nowMillis) {
        for (FileView.Stored stored : snapshot.files()) {
            OpenFile file = new OpenFile(FileView.restored(stored));
            files.put(stored.file(), file);
            // One that has only grown has no bytes in the log that would tell.
            show(file, file.view, nowMillis);
        }
        snapshot.answers().forEach(answers::restore);
        appliedIndex = snapshot.covered();
    }

    /** A record that is durable; of one that a snapshot has seen only the bytes matter. */
    void apply(long index, LogRecord record, Segment segment, long dataPosition, long nowMillis) {
        if (index <= appliedIndex) {
            if (record instanceof Mutated mutated) {
                OpenFile file = files.get(mutated.file());
                if (file != null) {
                    show(file, file.view.withBytesOf(index, mutated, segment, dataPosition), nowMillis);
                }
            }
            return;
        }
        appliedIndex = index;
        switch (record) {
            case Installed installed -> install(index, installed, nowMillis);
            case Mutated mutated -> {
                OpenFile file = known(mutated.file());
                show(file, file.view.mutated(index, mutated, segment, dataPosition), nowMillis);
                remembers(mutated.file());
                OperationKey key = mutated.key();
                if (key != null) {
                    answers.put(key, new Committed(mutated.version(), mutated.size()));
                }
            }
            case Folded folded -> {
                OpenFile file = known(folded.file());
                show(file, file.view.folded(folded, guards), nowMillis);
            }
            case ChangedOutside changed -> {
                OpenFile file = known(changed.file());
                show(file, file.view.changedOutside(changed), nowMillis);
            }
            case Forgotten forgotten -> {
                OpenFile file = files.remove(forgotten.file());
                if (file != null) {
                    ranges -= file.view.delta().size();
                }
                dirty.remove(forgotten.file());
                histories.remove(forgotten.file());
            }
            case SessionEnded ended -> answers.end(ended.session());
        }
    }

    private OpenFile known(FileId id) {
        OpenFile file = files.get(id);
        if (file == null) {
            throw new IllegalStateException("the log has a record of file " + id + ", which was not installed");
        }
        return file;
    }

    private void install(long index, Installed installed, long nowMillis) {
        OpenFile file = files.get(installed.file());
        if (file == null) {
            files.put(installed.file(), new OpenFile(FileView.installed(index, installed)));
        } else if (installed.epoch() >= file.view.epoch()) {
            // Else two asked at once for a file that was new to both, and the newer epoch came first.
            boolean newer = installed.version().compareTo(file.view.version()) > 0;
            show(
                    file,
                    newer ? FileView.installed(index, installed) : file.view.withEpoch(installed.epoch()),
                    nowMillis);
            file.hasInstalled();
        }
    }

    private void show(OpenFile file, FileView view, long nowMillis) {
        ranges += view.delta().size() - file.view.delta().size();
        file.view = view;
        if (!view.isDirty()) {
            dirty.remove(view.file());
        } else if (dirty.putIfAbsent(view.file(), file) == null) {
            file.dirtySince = nowMillis;
        }
    }

    /** What a folding that left newer changes has to wait for begins anew. */
    void stillDirty(OpenFile file, long nowMillis) {
        if (dirty.remove(file.view.file()) != null) {
            dirty.put(file.view.file(), file);
            file.dirtySince = nowMillis;
        }
    }

    private void remembers(FileId id) {
        histories.put(id, true);
        if (histories.size() > MOST_HISTORIES) {
            Iterator<FileId> oldest = histories.keySet().iterator();
            OpenFile file = files.get(oldest.next());
            oldest.remove();
            if (file != null) {
                file.view = file.view.withoutHistory();
            }
        }
    }
}
