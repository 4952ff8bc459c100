package spigot.replica;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.linux.FileStatus;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.Fragments;
import spigot.model.RawBytes;
import spigot.model.ReplicaState;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;

/**
 * Collects entries for one request to the catalog and writes the index when it is answered. The names are noted in the index
 * before they are sent, so that after a crash in between nothing is at the catalog that this server does not know of. For one
 * thread. Bounded by what one request may hold.
 */
final class RegistrationBatch {
    private static final Logger LOG = LoggerFactory.getLogger(RegistrationBatch.class);

    /** Encoded size of an entry without its name and target: fixed fields, ids, tags. */
    private static final int ENTRY_BYTES = 220;

    private final PublicationIndex index;
    private final RegistrationClient catalog;
    private final ServedFiles files;
    private final PublishedTree tree;
    private final List<Entry> entries = new ArrayList<>();
    private int bytes;
    private long registered;

    private record Inode(long device, long inode) {}

    /** An entry as it was found in a directory; {@code shownPath} is for messages, {@code target} that of a symbolic link, else empty. */
    record Found(
            FileId directory,
            RawBytes name,
            RawBytes shownPath,
            FileStatus status,
            Attributes attributes,
            RawBytes target) {}

    /** One entry to register. {@code id} is set when the catalog has answered, and stays null if it refused. */
    static final class Entry {
        private final Found found;
        private final @Nullable FileId known;
        private final @Nullable FileId sameAs;
        private final @Nullable FileId replaces;
        private final @Nullable SharedDescriptor opened;
        private final long stamp;
        private boolean answered;
        private @Nullable FileId id;

        /**
         * @param known its id, when it was registered before
         * @param sameAs another name of this file
         * @param replaces what the name led to
         * @param opened the new file, to be kept open; belongs to this entry
         * @param stamp of the directories' turns when it was looked for: see {@link DirectoryTurns#changedSince}
         */
        Entry(
                Found found,
                @Nullable FileId known,
                @Nullable FileId sameAs,
                @Nullable FileId replaces,
                @Nullable SharedDescriptor opened,
                long stamp) {
            this.found = found;
            this.known = known;
            this.sameAs = sameAs;
            this.replaces = replaces;
            this.opened = opened;
            this.stamp = stamp;
        }

        boolean isAnswered() {
            return answered;
        }

        @Nullable
        FileId id() {
            return id;
        }
    }

    RegistrationBatch(PublicationIndex index, RegistrationClient catalog, ServedFiles files, PublishedTree tree) {
        this.index = index;
        this.catalog = catalog;
        this.files = files;
        this.tree = tree;
    }

    /** How many entries the catalog has taken. */
    long registered() {
        return registered;
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** Adds it; sends what there is when no more would fit. */
    void add(Entry entry) throws IOException, InterruptedException {
        int entryBytes =
                ENTRY_BYTES + entry.found.name().length() + entry.found.target().length();
        if (entries.size() == RegistrationClient.MAX_BATCH_ENTRIES
                || bytes + entryBytes > RegistrationClient.MAX_BATCH_BYTES) {
            flush();
        }
        entries.add(entry);
        bytes += entryBytes;
    }

    /** Sends what there is and waits for the answer. */
    void flush() throws IOException, InterruptedException {
        if (entries.isEmpty()) {
            return;
        }
        Set<FileId> directories = new HashSet<>();
        entries.forEach(entry -> directories.add(entry.found.directory()));
        try (DirectoryTurns.Turn _ = tree.turns().enter(directories, TreeScan.TURN)) {
            List<Entry> sent = leaveOutOld();
            if (!sent.isEmpty()) {
                flush(sent);
            }
        }
    }

    /** What an operation may have changed since it was found is looked at again. */
    private List<Entry> leaveOutOld() {
        List<Entry> sent = new ArrayList<>();
        for (Entry entry : entries) {
            if (tree.turns().changedSince(entry.found.directory(), entry.stamp)) {
                entry.answered = true;
                if (entry.opened != null) {
                    entry.opened.close();
                }
                tree.lookAt(entry.found.directory(), entry.found.name().toArray());
            } else {
                sent.add(entry);
            }
        }
        entries.clear();
        entries.addAll(sent);
        return sent;
    }

    private void flush(List<Entry> sent) throws IOException, InterruptedException {
        RegisterRequest request = request(sent);
        index.notePending(tree.number(), names(sent));
        long registration = files.beginRegistration();
        try {
            send(sent, request);
        } finally {
            files.endRegistration(registration);
        }
        index.clearPending(tree.number(), names(sent));
    }

    private void send(List<Entry> sent, RegisterRequest request) throws IOException, InterruptedException {
        long asked = System.nanoTime();
        List<Registered> answers = catalog.register(request);
        long answered = System.nanoTime();
        if (answers.size() != sent.size()) {
            throw new FailureException(
                    spigot.transport.wire.Failure.Code.BAD_REQUEST,
                    "the catalog answered " + answers.size() + " of " + sent.size() + " registrations");
        }
        List<PublicationIndex.Addition> additions = new ArrayList<>();
        for (int i = 0; i < sent.size(); i++) {
            take(sent.get(i), answers.get(i), additions);
        }
        entries.clear();
        bytes = 0;
        index.add(tree.number(), additions).forEach(files::nameless);
        for (Entry entry : sent) {
            keepOpen(entry);
        }
        registered += additions.size();
        LOG.debug(
                "registered path={} entries={} catalog_micros={} index_micros={}",
                tree.publication().path(),
                additions.size(),
                (answered - asked) / 1000,
                (System.nanoTime() - answered) / 1000);
    }

    private RegisterRequest request(List<Entry> sent) throws FailureException {
        Map<Inode, Integer> linked = new HashMap<>();
        RegisterRequest.Builder request = RegisterRequest.newBuilder()
                .setPublication(Messages.bytes(tree.rootId()))
                .setReplica(tree.publication().replica())
                .setReadOnly(tree.publication().readOnly());
        for (int i = 0; i < sent.size(); i++) {
            Entry entry = sent.get(i);
            Registration.Builder registration = request.addEntriesBuilder()
                    .setParent(Messages.bytes(entry.found.directory()))
                    .setName(Messages.bytes(new FileName(entry.found.name())))
                    .setAttributes(Messages.wire(entry.found.attributes()));
            if (!entry.found.target().isEmpty()) {
                registration.setSymlinkTarget(Messages.bytes(entry.found.target()));
            }
            if (entry.known != null) {
                registration.setId(Messages.bytes(entry.known));
            }
            if (entry.replaces != null) {
                registration.setReplaces(Messages.bytes(entry.replaces));
            }
            if (entry.sameAs != null) {
                registration.setSameAs(Messages.bytes(entry.sameAs));
            } else {
                boolean several = !entry.found.attributes().isDirectory()
                        && entry.found.attributes().links() > 1;
                Integer first = several
                        ? linked.putIfAbsent(
                                new Inode(
                                        entry.found.status().device(),
                                        entry.found.status().inode()),
                                i + 1)
                        : null;
                if (first != null) {
                    registration.setSameAsIndex(first);
                }
            }
        }
        return request.build();
    }

    private void take(Entry entry, Registered answer, List<PublicationIndex.Addition> additions) throws IOException {
        entry.answered = true;
        if (answer.hasFailure()) {
            tree.skip(
                    entry.found.shownPath().toArray(),
                    0,
                    "the catalog refused it: " + answer.getFailure().getMessage());
            return;
        }
        FileId id = Messages.fileId(answer.getId());
        entry.id = id;
        // A further name of a file that is known: what is known of the file stays.
        IndexedFile row = id.equals(entry.sameAs) ? index.file(id) : null;
        if (row == null) {
            row = new IndexedFile(
                    id,
                    tree.number(),
                    entry.found.status().device(),
                    entry.found.attributes().isDirectory()
                            ? IndexedFile.NOT_LOOKED_INTO
                            : entry.found.status().inode(),
                    entry.found.attributes(),
                    Messages.version(answer.getVersion()),
                    answer.getHomeEpoch(),
                    answer.getFragmentBytes() == 0 ? Fragments.DEFAULT_BYTES : answer.getFragmentBytes(),
                    entry.found.attributes().isDirectory()
                            ? ReplicaState.HOME
                            : Messages.replicaState(answer.getState()));
            if (!row.isHome()) {
                tree.noteCopies();
            }
            ServedFile served = files.inUse(id);
            if (served != null) {
                served.setRow(row);
            }
        }
        additions.add(new PublicationIndex.Addition(entry.found.directory(), entry.found.name(), row));
    }

    private void keepOpen(Entry entry) throws IOException {
        if (entry.opened == null) {
            return;
        }
        ServedFile file = entry.id == null ? null : files.find(entry.id);
        if (file == null) {
            entry.opened.close();
        } else {
            files.keep(file, entry.opened);
        }
    }

    private static List<IndexedName> names(List<Entry> sent) {
        return sent.stream()
                .map(entry -> new IndexedName(entry.found.directory(), entry.found.name(), entry.found.directory()))
                .toList();
    }

    /** Closes what was opened for entries that were never sent. */
    void abandon() {
        for (Entry entry : entries) {
            if (entry.opened != null) {
                entry.opened.close();
            }
        }
        entries.clear();
        bytes = 0;
    }
}
