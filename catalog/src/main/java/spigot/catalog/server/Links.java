package spigot.catalog.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.ReplicaEntry;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.Messages;
import spigot.transport.wire.ReplicaState;

/**
 * How names, copies and files keep each other: a copy lives as long as its server publishes a name of the file; a file as long
 * as it has a name and a copy that may be served; a directory that nobody publishes as long as something lies in it. For one
 * thread.
 */
final class Links {
    private final Records records;
    private final Set<NodeId> alive;

    /** @param alive servers that are preferred when a new home is needed */
    Links(Records records, Set<NodeId> alive) {
        this.records = records;
        this.alive = alive;
    }

    void add(FileId id, FileId directory, byte[] name, NodeId server) throws IOException {
        List<NodeId> publishers = new ArrayList<>(records.publishers(id, directory, name));
        if (!publishers.contains(server)) {
            publishers.add(server);
        }
        records.putName(id, directory, name, publishers);
    }

    /** The server does not publish the name any more. */
    void withdraw(FileId id, FileId directory, byte[] name, NodeId server) throws IOException {
        List<NodeId> publishers = new ArrayList<>(records.publishers(id, directory, name));
        if (!publishers.remove(server)) {
            return;
        }
        Inode inode = records.existing(id);
        if (publishers.isEmpty() && !(Records.isDirectory(inode) && !records.isEmpty(id))) {
            records.deleteName(id, directory, name);
        } else {
            records.putName(id, directory, name, publishers);
        }
        dropUnnamed(id, List.of(server));
        prune(directory);
    }

    /** The name leads elsewhere from now on, whoever published it. */
    void detach(FileId id, FileId directory, byte[] name) throws IOException {
        List<NodeId> publishers = records.publishers(id, directory, name);
        records.deleteName(id, directory, name);
        dropUnnamed(id, publishers);
    }

    /** A name becomes another one, which is free; only this server has it there. */
    void move(FileId id, FileId directory, byte[] name, FileId toDirectory, byte[] toName, NodeId server)
            throws IOException {
        List<NodeId> others = new ArrayList<>(records.publishers(id, directory, name));
        others.remove(server);
        records.deleteName(id, directory, name);
        records.putName(id, toDirectory, toName, List.of(server));
        dropUnnamed(id, others);
    }

    /** Drops the copies of servers that publish no name of the file any more, and the file if nothing is left of it. */
    private void dropUnnamed(FileId id, List<NodeId> servers) throws IOException {
        List<Records.Name> names = records.names(id);
        for (NodeId server : servers) {
            if (names.stream().noneMatch(name -> name.publishers().contains(server))) {
                records.deleteReplica(id, server);
            }
        }
        Inode inode = records.inode(id);
        if (inode == null) {
            return;
        }
        if (names.isEmpty()) {
            remove(id);
            return;
        }
        NodeId owner = Messages.nodeIdOrNone(inode.getOwner());
        if (!owner.equals(NodeId.NONE) && records.replica(id, owner) == null) {
            succeed(id, inode);
        }
    }

    /** The owner's copy is gone: another server takes its place, or the file ends. */
    private void succeed(FileId id, Inode inode) throws IOException {
        boolean directory = Records.isDirectory(inode);
        Optional<NodeId> next = records.copies(id).stream()
                .filter(copy -> directory || copy.entry().getState() == ReplicaState.VERIFIED)
                .map(Records.Copy::server)
                .min(Comparator.comparing((NodeId server) -> !alive.contains(server))
                        .thenComparing(Comparator.naturalOrder()));
        if (next.isPresent()) {
            makeHome(id, inode, next.get());
        } else if (directory) {
            records.put(id, inode.toBuilder().clearOwner().build());
        } else {
            remove(id);
        }
    }

    /** From now on this server orders the file's versions; its content is what the last version says. */
    void makeHome(FileId id, Inode inode, NodeId home) throws IOException {
        Inode.Builder next = inode.toBuilder().setOwner(Messages.bytes(home));
        if (!Records.isDirectory(inode)) {
            next.getRecordBuilder()
                    .setHome(Messages.bytes(home))
                    .setHomeEpoch(inode.getRecord().getHomeEpoch() + 1);
            NodeId old = Messages.nodeIdOrNone(inode.getOwner());
            @Nullable ReplicaEntry former = records.replica(id, old);
            if (former != null) {
                records.putReplica(id, old, Versions.recompared(former, next.getRecord()));
            }
        }
        ReplicaEntry copy = records.replica(id, home);
        if (copy != null) {
            records.putReplica(
                    id, home, copy.toBuilder().setState(ReplicaState.HOME).build());
        }
        records.put(id, next.build());
    }

    /** The file is gone, under all its names. */
    private void remove(FileId id) throws IOException {
        List<Records.Name> names = records.names(id);
        for (Records.Name name : names) {
            records.deleteName(id, name.directory(), name.name());
        }
        for (Records.Copy copy : records.copies(id)) {
            records.deleteReplica(id, copy.server());
        }
        records.delete(id);
        for (Records.Name name : names) {
            prune(name.directory());
        }
    }

    /** Removes a directory that nobody publishes and nothing lies in, and those above that are left like that. */
    void prune(FileId directory) throws IOException {
        FileId next = directory;
        while (!next.equals(FileId.ROOT)) {
            Inode inode = records.inode(next);
            if (inode == null || !inode.getOwner().isEmpty() || !records.isEmpty(next)) {
                return;
            }
            List<Records.Name> names = records.names(next);
            for (Records.Name name : names) {
                records.deleteName(next, name.directory(), name.name());
            }
            records.delete(next);
            if (names.isEmpty()) {
                return;
            }
            next = names.getFirst().directory();
        }
    }
}
