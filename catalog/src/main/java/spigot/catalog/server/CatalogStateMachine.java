package spigot.catalog.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.server.state.Command;

/**
 * Applies the entries of the Raft log to the tables. The tables themselves are the snapshot: what they held when they were opened
 * is what Ratis is told to begin behind, and taking a snapshot is flushing them. Ratis calls it on one thread.
 *
 * <p>When the tables can't be written, nothing is applied any more until the next start: later entries must not be applied upon
 * tables that miss an earlier one.
 */
final class CatalogStateMachine extends BaseStateMachine {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogStateMachine.class);

    /** A place in the log up to which the tables are complete; there are no files to be sent to other members. */
    private record TablesSnapshot(TermIndex termIndex) implements SnapshotInfo {
        @Override
        public TermIndex getTermIndex() {
            return termIndex;
        }

        @Override
        public List<FileInfo> getFiles() {
            return List.of();
        }
    }

    private final Tables tables;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> logFailed = new CompletableFuture<>();
    private volatile @Nullable SnapshotInfo latest;
    private volatile @Nullable IOException broken;

    CatalogStateMachine(Tables tables) {
        this.tables = tables;
    }

    /** Done when this member leads and has applied what was in the log. */
    CompletableFuture<Void> ready() {
        return ready;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage) throws IOException {
        super.initialize(server, group, storage);
        Tables.Applied applied = tables.applied();
        if (applied.index() >= 0) {
            TermIndex last = TermIndex.valueOf(applied.term(), applied.index());
            latest = new TablesSnapshot(last);
            setLastAppliedTermIndex(last);
        }
    }

    @Override
    public @Nullable SnapshotInfo getLatestSnapshot() {
        return latest;
    }

    @Override
    public void notifyLeaderReady() {
        ready.complete(null);
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext context) {
        LogEntryProto entry = context.getLogEntry();
        IOException earlier = broken;
        if (earlier != null) {
            return CompletableFuture.failedFuture(earlier);
        }
        try {
            ByteBuffer data = entry.getStateMachineLogEntry().getLogData().asReadOnlyByteBuffer();
            byte[] outcome = Applier.apply(
                            tables, Command.parseFrom(data), new Tables.Applied(entry.getTerm(), entry.getIndex()))
                    .toByteArray();
            updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
            return CompletableFuture.completedFuture(Message.valueOf(UnsafeByteOperations.unsafeWrap(outcome)));
        } catch (IOException e) {
            IOException stopped = new IOException(
                    "the catalog has stopped at entry " + entry.getIndex() + " of its log: " + e.getMessage()
                            + "; correct the cause and start the server again",
                    e);
            LOG.error("event=catalog-stopped entry={} cause=\"{}\"", entry.getIndex(), e.getMessage());
            broken = stopped;
            return CompletableFuture.failedFuture(stopped);
        }
    }

    /** Ratis has closed its log, and opens it again only at the next start. */
    @Override
    public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto failedEntry) {
        String entry = failedEntry == null ? "" : " at entry " + failedEntry.getIndex();
        LOG.error("event=catalog-log-failed entry=\"{}\" cause=\"{}\"", entry, cause.toString());
        if (broken == null) {
            broken = new IOException(
                    "the catalog's log could not be written" + entry + ": " + cause.getMessage()
                            + "; correct the cause (is the disk full?) and start the server again: nothing is lost",
                    cause);
        }
        logFailed.complete(null);
    }

    /** Done when the log could not be written: what was proposed and not answered until then never will be. */
    CompletableFuture<Void> logFailed() {
        return logFailed;
    }

    /** Why nothing can be proposed or read until the next start; null while all is well. */
    @Nullable
    IOException broken() {
        return broken;
    }

    /** Only there so that Ratis waits until earlier entries have been applied; the reading is done on a view. */
    @Override
    public CompletableFuture<Message> query(Message request) {
        return CompletableFuture.completedFuture(Message.EMPTY);
    }

    @Override
    public long takeSnapshot() throws IOException {
        if (broken != null) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        TermIndex last = getLastAppliedTermIndex();
        if (last == null || last.getIndex() < 0) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        Tables.Applied applied = tables.applied();
        if (applied.index() < 0) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        tables.flush();
        // Entries of Ratis itself may lie behind it; they have no effect on the tables.
        TermIndex flushed = TermIndex.valueOf(applied.term(), applied.index());
        latest = new TablesSnapshot(flushed);
        return flushed.getIndex();
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return new StateMachineStorage() {
            @Override
            public void init(RaftStorage storage) {}

            @Override
            public @Nullable SnapshotInfo getLatestSnapshot() {
                return latest;
            }

            @Override
            public void format() {}

            @Override
            public void cleanupOldSnapshots(SnapshotRetentionPolicy policy) {}
        };
    }

    @Override
    public void close() throws IOException {
        tables.close();
    }
}
