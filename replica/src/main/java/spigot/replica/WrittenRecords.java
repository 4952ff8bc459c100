package spigot.replica;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileStatus;
import spigot.linux.Statx;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.replica.commit.CommitRefusedException;
import spigot.replica.commit.Commits;
import spigot.replica.commit.FileView;

/**
 * Keeps what the catalog and the index know of written files right, and ends their being written when it is. Safe for any thread; blocks;
 * each file in its turn.
 */
final class WrittenRecords {
    private static final Logger LOG = LoggerFactory.getLogger(WrittenRecords.class);

    private final WrittenFiles.Parts parts;
    private final Commits commits;
    private final Duration quiet;
    private volatile Predicate<FileId> inUse = _ -> false;
    private @Nullable FileUpdates updates;

    private record Seen(FileStatus status, XattrKinds xattrs) {}

    /** @param quiet after which time without a commit a file is not taken for written any more */
    WrittenRecords(WrittenFiles.Parts parts, Commits commits, Duration quiet) {
        this.parts = parts;
        this.commits = commits;
        this.quiet = quiet;
    }

    void use(FileUpdates fileUpdates) {
        updates = fileUpdates;
    }

    private FileUpdates updates() {
        return Objects.requireNonNull(updates, "use comes first");
    }

    void holdWhile(Predicate<FileId> hasTokens) {
        inUse = hasTokens;
    }

    /** For {@link WrittenTeller}. */
    long look(FileId id) throws IOException, InterruptedException {
        ServedFile file = parts.files().find(id);
        if (file == null && parts.index().file(id) == null) {
            commits.discard(id);
            return 0;
        }
        if (file == null) {
            throw new IOException("its publication is not open now");
        }
        return updates().exclusively(file, () -> {
            if (commits.find(id) == null) {
                return 0L;
            }
            boolean known = tell(file);
            return known && retire(file) ? 0L : Math.max(1, quiet.toMillis());
        });
    }

    /**
     * Compares the published file with what it should be like; to be called in the file's turn. What others have done to the content
     * makes a version.
     */
    void lookAgain(ServedFile file, FileStatus status) throws IOException, InterruptedException {
        FileView view = commits.view(file.id());
        FileChange change = FileChange.between(WrittenRow.published(file.row(), view), status);
        if (change == FileChange.CONTENT) {
            Version version = commits.changedOutside(file.id(), WrittenRow.fingerprint(status));
            LOG.info("event=written_file_changed_behind file={} version={}", file.id(), version);
        }
    }

    /**
     * Looks at the published file and tells the catalog what is new; to be called in the file's turn.
     *
     * @return whether there was nothing new
     */
    boolean tell(ServedFile file) throws IOException, InterruptedException {
        Seen seen = parts.io().run(() -> {
            try (SharedDescriptor descriptor = parts.files().descriptor(file)) {
                return new Seen(
                        Statx.of(descriptor.number()),
                        XattrKinds.of(ExtendedAttributes.names(descriptor.descriptor())));
            }
        });
        lookAgain(file, seen.status());
        IndexedFile row = file.row();
        FileView view = commits.view(file.id());
        Attributes published = FileAttributes.of(seen.status(), seen.xattrs());
        boolean known =
                row.version().equals(view.version()) && FileChange.between(row, seen.status()) == FileChange.NONE;
        if (known || !file.isNamed()) {
            return true;
        }
        FileRecord record =
                parts.catalog().written(file.id(), WrittenRow.live(published, view), row.homeEpoch(), view.version());
        updates()
                .took(
                        file,
                        row.seen(seen.status(), published)
                                .known(view.version(), record.homeEpoch(), record.fragmentBytes(), ReplicaState.HOME),
                        true);
        return false;
    }

    /** @return whether it is not written any more */
    private boolean retire(ServedFile file) throws IOException, InterruptedException {
        FileView view = commits.view(file.id());
        boolean busy = file.quietNanos() < quiet.toNanos();
        if (view.isDirty() || busy || inUse.test(file.id())) {
            return false;
        }
        try {
            commits.forget(file.id());
        } catch (CommitRefusedException e) {
            LOG.trace("event=written_again file={} reason=\"{}\"", file.id(), e.getMessage());
            return false;
        }
        file.setWritten(false);
        return true;
    }
}
