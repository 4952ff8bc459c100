package spigot.cache;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.source.Source;
import spigot.catalog.client.Located;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.Replica;
import spigot.model.ReplicaState;

/**
 * Where the bytes of one file are, as far as is known: its home first, then the verified replicas. The catalog is asked only when that pays: when
 * the home's address is not known, when nobody could deliver, or when much of the file is read. Safe for any thread.
 */
final class Places {
    private static final Logger log = LoggerFactory.getLogger(Places.class);
    private static final long WORTH_ASKING_BYTES = 256 << 10;
    private static final long ASK_AGAIN_NANOS = 30_000_000_000L;
    private static final long LOOK_AGAIN_NANOS = 2_000_000_000L;

    private final FileId file;
    private final Locator locator;
    private final Sources sources;
    private final AtomicBoolean asking = new AtomicBoolean();

    private volatile NodeId home;
    private volatile List<Source> serving = List.of();
    private volatile boolean located;
    private volatile long locatedNanos;
    private volatile long lookedNanos = System.nanoTime() - LOOK_AGAIN_NANOS;
    private volatile long fetchedBytes;

    Places(FileRecord record, Locator locator, Sources sources) {
        this.file = record.id();
        this.home = record.home();
        this.locator = locator;
        this.sources = sources;
    }

    NodeId home() {
        return home;
    }

    /** The home may have moved. */
    void homeIs(FileRecord record) {
        home = record.home();
    }

    /** The home, with its address asked from the catalog if need be. */
    Source homeSource(Duration atMost) throws IOException, InterruptedException {
        Source source = sources.known(home);
        if (source == null) {
            locate(false, atMost);
            source = sources.known(home);
        }
        if (source == null) {
            throw new IOException("the catalog knows no address of server " + home + ", the home of file " + file);
        }
        return source;
    }

    /** All that may be asked for the bytes, as far as is known; may be empty. */
    List<Source> serving() {
        List<Source> known = serving;
        if (!located) {
            Source source = sources.known(home);
            return source == null ? List.of() : List.of(source);
        }
        return known;
    }

    /**
     * @param atMost for the catalog's client has a patience of its own, which may be longer than who asks can wait
     * @return what the catalog says
     */
    FileRecord locate(boolean nominate, Duration atMost) throws IOException, InterruptedException {
        return took(Bounded.call("locating " + file, atMost, () -> locator.locate(file, nominate), _ -> {}));
    }

    private FileRecord took(Located answer) {
        List<Source> found = new ArrayList<>();
        for (Replica replica : answer.replicas()) {
            boolean serves = replica.state() == ReplicaState.HOME || replica.state() == ReplicaState.VERIFIED;
            if (serves && !replica.address().isEmpty()) {
                found.add(sources.at(replica.server(), replica.address()));
            }
        }
        home = answer.record().home();
        serving = List.copyOf(found);
        locatedNanos = System.nanoTime();
        located = true;
        return answer.record();
    }

    /** So many bytes were fetched: further replicas may make it faster, and save it when the home breaks. */
    void fetched(long bytes) {
        long sum = fetchedBytes + bytes; // a lost update only delays the question
        fetchedBytes = sum;
        boolean due = !located || System.nanoTime() - locatedNanos > ASK_AGAIN_NANOS;
        if (sum >= WORTH_ASKING_BYTES && due) {
            locateSoon();
        }
    }

    /** The sources that are known are silent. */
    void lookForMore() {
        long now = System.nanoTime();
        if (now - lookedNanos > LOOK_AGAIN_NANOS) {
            lookedNanos = now;
            locateSoon();
        }
    }

    private void locateSoon() {
        if (asking.compareAndSet(false, true)) {
            Thread.ofVirtual().name("locate-" + file).start(() -> {
                try {
                    took(locator.locate(file, false));
                } catch (IOException e) {
                    locatedNanos = System.nanoTime();
                    log.debug("event=locate_failed file={} cause=\"{}\"", file, e.getMessage());
                } catch (InterruptedException _) {
                    // Nobody interrupts this thread.
                } finally {
                    asking.set(false);
                }
            });
        }
    }
}
