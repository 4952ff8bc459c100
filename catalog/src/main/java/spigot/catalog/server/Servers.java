package spigot.catalog.server;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import spigot.model.NodeId;
import spigot.session.BootClock;
import spigot.transport.Messages;
import spigot.transport.wire.ReplicaInfo;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.ServerInfo;

/**
 * Which servers are alive, and their copies as others see them. What was heard is kept in memory only: after a start every server
 * that is known counts as alive for one period of silence. Safe for any thread; bounded by the number of servers with a
 * certificate of the grid.
 */
final class Servers {
    private record Heard(ServerInfo info, long millis) {}

    private final Map<NodeId, Heard> heard = new ConcurrentHashMap<>();
    private final BootClock clock;
    private final long silenceMillis;

    /** @param known from the tables */
    Servers(List<ServerInfo> known, BootClock clock, Duration silence) throws IOException {
        this.clock = clock;
        this.silenceMillis = silence.toMillis();
        for (ServerInfo server : known) {
            heard.put(Messages.nodeId(server.getId()), new Heard(server, clock.millis()));
        }
    }

    void hello(NodeId server, ServerInfo info) {
        heard.put(server, new Heard(info, clock.millis()));
    }

    boolean isAlive(NodeId server) {
        Heard last = heard.get(server);
        return last != null && clock.millis() - last.millis() < silenceMillis;
    }

    Set<NodeId> alive() {
        return heard.keySet().stream().filter(this::isAlive).collect(Collectors.toSet());
    }

    /** All known servers, by name. */
    List<ServerInfo> all(View view) throws IOException {
        List<ServerInfo> all = new ArrayList<>();
        for (Map.Entry<NodeId, Heard> entry : heard.entrySet()) {
            NodeId id = entry.getKey();
            all.add(entry.getValue().info().toBuilder()
                    .setId(Messages.bytes(id))
                    .setAlive(isAlive(id))
                    .setFiles(Records.filesOf(view, id))
                    .build());
        }
        all.sort(Comparator.comparing(ServerInfo::getName)
                .thenComparing(ServerInfo::getId, com.google.protobuf.ByteString.unsignedLexicographicalComparator()));
        return all;
    }

    /** The copies of a file, the home first; those of dead servers are WITHDRAWN. */
    List<ReplicaInfo> replicas(List<Records.Copy> copies) {
        List<ReplicaInfo> replicas = new ArrayList<>();
        for (Records.Copy copy : copies) {
            Heard server = heard.get(copy.server());
            ReplicaInfo.Builder replica = ReplicaInfo.newBuilder()
                    .setServer(Messages.bytes(copy.server()))
                    .setState(copy.entry().getState())
                    .setSize(copy.entry().getSize())
                    .setVersion(copy.entry().getVersion())
                    .setDetail(copy.entry().getDetail());
            if (server != null) {
                replica.setServerName(server.info().getName())
                        .setSite(server.info().getSite())
                        .setAddress(server.info().getAddress());
            }
            if (!isAlive(copy.server())) {
                replica.setDetail("was " + copy.entry().getState() + " before its server fell silent")
                        .setState(ReplicaState.WITHDRAWN);
            }
            replicas.add(replica.build());
        }
        replicas.sort(Comparator.comparing(ReplicaInfo::getState));
        return replicas;
    }

    static boolean serves(ReplicaInfo replica) {
        return replica.getState() == ReplicaState.HOME || replica.getState() == ReplicaState.VERIFIED;
    }
}
