package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.Outcome;
import spigot.model.FileId;
import spigot.model.Fragments;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;

/**
 * The state machine of the catalog: what a command does to the tables. Deterministic: no clock, no chance, no thread but what is
 * in the command. A command that is refused, or would change a directory that was not recalled, changes nothing.
 */
final class Namespace {
    static final String LIFE = "life";

    /** When the tables were made, nanoseconds since 1970: tells them from tables that were made after these were lost. */
    static final String BORN = "born";

    static final byte[] GRID = Keys.metadata("grid");
    private static final String REVISION = "revision";

    private Namespace() {}

    /**
     * What a command did.
     *
     * @param outcome for whoever proposed it
     * @param changes whether the transaction is to be committed
     * @param touched directories whose leases must be gone before the changes are visible
     */
    record Result(Outcome outcome, boolean changes, Set<FileId> touched) {}

    /** @throws IOException when the tables can't be read: nothing is known then */
    static Result apply(Command command, Transaction rows) throws IOException {
        Outcome outcome;
        try {
            outcome = run(command, rows);
        } catch (FailureException e) {
            return new Result(Outcome.newBuilder().setFailure(e.failure()).build(), false, Set.of());
        }
        if (rows.isEmpty()) {
            return new Result(outcome, false, Set.of());
        }
        Set<FileId> touched = touched(rows);
        Set<ByteString> missing = new HashSet<>();
        for (FileId directory : touched) {
            missing.add(Messages.bytes(directory));
        }
        command.getRecalledList().forEach(missing::remove);
        if (!missing.isEmpty()) {
            Outcome needs = Outcome.newBuilder().addAllNeedsRecall(missing).build();
            return new Result(needs, false, touched);
        }
        stamp(rows, touched);
        noteUnseen(command, rows, touched);
        return new Result(outcome, true, touched);
    }

    /** So that a later life knows what it must not show before the leases of this one have run out. */
    private static void noteUnseen(Command command, Transaction rows, Set<FileId> touched) throws IOException {
        for (long seen : command.getSeenList()) {
            rows.delete(Table.UNSEEN, Keys.number(seen));
        }
        if (command.getOwn() != 0) {
            byte[][] ids = touched.stream().map(FileId::bytes).toArray(byte[][]::new);
            rows.put(Table.UNSEEN, Keys.number(command.getOwn()), Keys.join(ids));
        }
    }

    private static Outcome run(Command command, Transaction rows) throws IOException {
        NodeId server = Messages.nodeIdOrNone(command.getServer());
        Records records = new Records(rows);
        Links links = new Links(records, alive(command));
        FreshIds ids = new FreshIds(command.getSeed().toByteArray());
        Publishing publishing = new Publishing(records, links, ids, server, command.getTimeNanos());
        Changing changing = new Changing(records, links, server);
        Admission admission = new Admission(rows, command.getTimeNanos());
        Outcome.Builder outcome = Outcome.newBuilder();
        switch (command.getBodyCase()) {
            case BEGIN -> outcome.setLife(begin(command, rows, records));
            case SERVER_INFO -> records.putServer(server, command.getServerInfo());
            case PUBLISH -> outcome.setPublished(publishing.publish(command.getPublish()));
            case REGISTER -> outcome.setRegistered(publishing.register(command.getRegister()));
            case WITHDRAW -> changing.withdraw(command.getWithdraw());
            case REPLICA_STATES -> changing.replicaStates(command.getReplicaStates());
            case UPDATE -> outcome.setRecord(changing.update(command.getUpdate()));
            case NOMINATE -> outcome.setRecord(changing.nominate(command.getNominate()));
            case NAMES ->
                outcome.setNames(new NamespaceChanges(rows, records, links, ids, server).apply(command.getNames()));
            case ADD_TOKEN -> admission.add(command.getAddToken());
            case USE_TOKEN -> outcome.setToken(admission.use(command.getUseToken()));
            case BODY_NOT_SET ->
                throw new FailureException(Failure.Code.BAD_REQUEST, "a command of the catalog without a body");
        }
        records.writeCounts();
        return outcome.build();
    }

    private static Set<NodeId> alive(Command command) throws FailureException {
        Set<NodeId> alive = new HashSet<>();
        for (ByteString server : command.getWithdraw().getAliveList()) {
            alive.add(Messages.nodeId(server));
        }
        return alive;
    }

    /** A new life; in the first one the root directory is made. */
    private static long begin(Command command, Transaction rows, Records records) throws IOException {
        byte[] grid = rows.get(Table.METADATA, GRID);
        byte[] wanted = command.getBegin().getGrid().toByteArray();
        if (grid != null && !Arrays.equals(grid, wanted)) {
            throw new FailureException(
                    Failure.Code.CONFLICT, "these are the tables of another grid: give each grid its own directory");
        }
        rows.put(Table.METADATA, GRID, wanted);
        if (records.inode(FileId.ROOT) == null) {
            FileRecord root = FileRecord.newBuilder()
                    .setId(Messages.bytes(FileId.ROOT))
                    .setAttributes(Publishing.synthetic(command.getTimeNanos()))
                    .setFragmentBytes(Fragments.DEFAULT_BYTES)
                    .build();
            records.put(FileId.ROOT, Inode.newBuilder().setRecord(root).build());
            records.putNumber(BORN, command.getTimeNanos());
        }
        long life = records.number(LIFE) + 1;
        records.putNumber(LIFE, life);
        return life;
    }

    /** The directories that existed and whose names, or attributes under their lease, are to change. */
    private static Set<FileId> touched(Transaction rows) throws IOException {
        Set<FileId> touched = new TreeSet<>();
        for (Transaction.Change change : rows.changes(Table.ENTRIES)) {
            touched.add(Keys.fileAt(change.key(), 0));
        }
        for (Transaction.Change change : rows.changes(Table.INODES)) {
            byte[] before = change.before();
            byte[] after = change.after();
            FileId id = Keys.fileAt(change.key(), 0);
            if (before == null) {
                continue;
            }
            FileRecord was = Records.record(before);
            if (after != null && was.equals(Records.record(after))) {
                continue;
            }
            if (Records.isDirectory(Records.parseInode(before))) {
                touched.add(id);
            }
            rows.scan(Table.NAMES, id.bytes(), (key, _) -> {
                touched.add(Keys.fileAt(key, Keys.ID));
                return true;
            });
        }
        Set<FileId> existed = new TreeSet<>();
        for (FileId directory : touched) {
            if (rows.before(Table.INODES, Keys.file(directory)) != null) {
                existed.add(directory);
            }
        }
        return existed;
    }

    /** Notes at which revision each directory changed last; a directory that is made again under an old id gets a new one, too. */
    private static void stamp(Transaction rows, Set<FileId> touched) throws IOException {
        Records records = new Records(rows);
        long revision = records.number(REVISION) + 1;
        records.putNumber(REVISION, revision);
        for (Transaction.Change change : rows.changes(Table.INODES)) {
            byte[] after = change.after();
            if (after == null) {
                rows.delete(Table.REVISIONS, change.key());
            } else if (change.before() == null && Records.isDirectory(Records.parseInode(after))) {
                rows.put(Table.REVISIONS, change.key(), Keys.number(revision));
            }
        }
        for (FileId directory : touched) {
            if (rows.get(Table.INODES, Keys.file(directory)) != null) {
                rows.put(Table.REVISIONS, Keys.file(directory), Keys.number(revision));
            }
        }
    }

    /** The directory's version, as leases on it are of. */
    static Version version(View view, FileId directory) throws IOException {
        return new Version(Records.number(view, BORN), revision(view, directory));
    }

    /** At which revision the directory changed last. */
    static long revision(View view, FileId directory) throws IOException {
        return Keys.number(view.get(Table.REVISIONS, Keys.file(directory)));
    }
}
