package spigot.node;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.CatalogClientSettings;
import spigot.catalog.client.Grid;
import spigot.catalog.client.NamespaceListener;
import spigot.node.home.GridIdentities;
import spigot.node.home.SpigotHome;
import spigot.transport.LinkBrokenException;
import spigot.transport.Peer;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.tls.Connector;

/** Looks at a grid from outside, with an identity that this user has in it. */
public final class RemoteGrid {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private RemoteGrid() {}

    /** @param server that carries the catalog */
    public static ObjectNode status(SpigotHome home, Address server)
            throws NodeException, IOException, InterruptedException {
        TransportCounters counters = new TransportCounters();
        SecureRandom random = new SecureRandom();
        GridMember member = GridMember.known(server, new GridIdentities(home), counters, random);
        Connector connector = new Connector(member::identity, TransportLimits.DEFAULT, counters, random);
        try (Peer peer = connector.peer(server.toString(), new RefusingHandler())) {
            // One attempt, which the transport bounds: the catalog's client would try for as long as its patience
            // lasts.
            peer.link(Duration.ZERO);
        } catch (LinkBrokenException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        try (CatalogClient catalog = new CatalogClient(
                handler -> connector.peer(server.toString(), handler),
                CatalogClientSettings.DEFAULT.withPatience(PATIENCE),
                NamespaceListener.NONE)) {
            return describe(catalog.grid()).put("address", server.toString());
        }
    }

    public static ObjectNode describe(Grid grid) {
        ObjectNode json = Json.object()
                .put("grid", grid.id())
                .put("files", grid.files())
                .put("directories", grid.directories())
                .put("bytes", grid.bytes())
                .put("clients", grid.clients());
        ArrayNode servers = json.putArray("servers");
        for (Grid.Server server : grid.servers()) {
            servers.addObject()
                    .put("name", server.name())
                    .put("site", server.site())
                    .put("address", server.address())
                    .put("alive", server.alive())
                    .put("files", server.files())
                    .put("capacity_bytes", server.capacityBytes())
                    .put("free_bytes", server.freeBytes());
        }
        return json;
    }
}
