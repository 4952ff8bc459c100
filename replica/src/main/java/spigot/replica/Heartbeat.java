package spigot.replica;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.transport.wire.ServerInfo;

/** Tells the catalog at regular times that this server is alive. One virtual thread. */
final class Heartbeat implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

    private final RegistrationClient catalog;
    private final CatalogLease lease;
    private final Supplier<ServerInfo> self;
    private final Duration interval;
    private final Thread thread;
    private boolean failing;

    Heartbeat(RegistrationClient catalog, CatalogLease lease, Supplier<ServerInfo> self, Duration interval) {
        this.catalog = catalog;
        this.lease = lease;
        this.self = self;
        this.interval = interval;
        this.thread = Thread.ofVirtual().name("heartbeat").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (true) {
                beat();
                Thread.sleep(interval);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void beat() throws InterruptedException {
        long sent = lease.now();
        try {
            catalog.hello(self.get());
            lease.heard(sent);
            if (failing) {
                LOG.info("the catalog is reached again");
            }
            failing = false;
        } catch (IOException e) {
            if (!failing) {
                LOG.warn("the catalog does not answer heartbeats reason=\"{}\"", e.getMessage());
            }
            failing = true;
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
