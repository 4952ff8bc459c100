package spigot.catalog.client;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.session.LeaseHolder;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.Entry;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.ListRequest;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
import spigot.transport.wire.Want;

/**
 * Asks the catalog for names and stores the answers under the leases that they came with. Several callers that want the same
 * listing share one request. Safe for any thread; blocks, holding no lock.
 */
final class Directories {
    private static final Logger LOG = LoggerFactory.getLogger(Directories.class);

    /** How long a request waits for a session before it asks without a lease. */
    private static final Duration SESSION_PATIENCE = Duration.ofSeconds(2);

    /** A listing that nobody asked for is broken off when it turns out larger. */
    private static final long UNASKED_BYTES = 2L << 20;

    private final CatalogCalls calls;
    private final LeaseHolder holder;
    private final LeasedDirectories cache;
    private final int lookupsBeforeListing;
    private final Map<FileId, CompletableFuture<DirectoryListing>> fetching = new ConcurrentHashMap<>();

    Directories(CatalogCalls calls, LeaseHolder holder, LeasedDirectories cache, int lookupsBeforeListing) {
        this.calls = calls;
        this.holder = holder;
        this.cache = cache;
        this.lookupsBeforeListing = lookupsBeforeListing;
    }

    Optional<FileRecord> lookup(FileId directory, FileName name) throws IOException, InterruptedException {
        CachedLookup found = cache.lookup(directory, name);
        if (found == null) {
            found = calls.answer(
                    "the name '" + name + "' in directory " + directory,
                    (link, timeout) -> ask(link, timeout, directory, name),
                    () -> cache.lookup(directory, name));
        }
        return switch (found) {
            case CachedLookup.Present(FileRecord record) -> Optional.of(record);
            case CachedLookup.Absent _ -> Optional.empty();
        };
    }

    private CachedLookup ask(Link link, Duration timeout, FileId directory, FileName name)
            throws IOException, InterruptedException {
        LookupRequest.Builder request = LookupRequest.newBuilder()
                .setDirectory(Messages.bytes(directory))
                .setName(Messages.bytes(name));
        Optional<Want> want = want(directory);
        want.ifPresent(request::setWant);
        LookupReply reply;
        try {
            reply = link.call(Envelope.newBuilder().setLookupRequest(request).build(), timeout)
                    .getLookupReply();
        } catch (FailureException e) {
            throw failed(e, directory, want);
        }
        CachedLookup found = reply.hasRecord()
                ? new CachedLookup.Present(Messages.record(reply.getRecord()))
                : CachedLookup.Absent.ABSENT;
        Optional<Lease> lease = want.isPresent() ? holder.granted(reply.getGrant()) : Optional.empty();
        if (lease.isPresent() && cache.store(directory, lease.get(), name, found) == lookupsBeforeListing) {
            Thread.ofVirtual().name("list-" + directory).start(() -> listUnasked(directory));
        }
        return found;
    }

    /** Many names of one directory were asked for: the others will be wanted, too. */
    private void listUnasked(FileId directory) {
        try {
            DirectoryListing _ = fetch(directory, UNASKED_BYTES);
        } catch (TooLargeException _) {
            cache.large(directory);
        } catch (IOException e) {
            LOG.debug("event=listing-failed directory={} cause=\"{}\"", directory, e.getMessage());
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a listing that nobody waits for", e);
        }
    }

    DirectoryListing list(FileId directory) throws IOException, InterruptedException {
        DirectoryListing cached = cache.listing(directory);
        while (cached == null) {
            CompletableFuture<DirectoryListing> own = new CompletableFuture<>();
            CompletableFuture<DirectoryListing> other = fetching.putIfAbsent(directory, own);
            if (other == null) {
                return fetchFor(directory, own);
            }
            try {
                DirectoryListing _ = other.get();
            } catch (ExecutionException _) {
                // Whoever asked was told; this caller asks for itself.
            }
            // Only a lease makes the other's answer good for this caller, who asked later.
            cached = cache.listing(directory);
        }
        return cached;
    }

    private DirectoryListing fetchFor(FileId directory, CompletableFuture<DirectoryListing> waiting)
            throws IOException, InterruptedException {
        try {
            DirectoryListing listing = fetch(directory, Long.MAX_VALUE);
            fetching.remove(directory, waiting);
            waiting.complete(listing);
            return listing;
        } finally {
            fetching.remove(directory, waiting);
            waiting.completeExceptionally(
                    new IOException("the listing of " + directory + " failed for another caller"));
        }
    }

    private DirectoryListing fetch(FileId directory, long mostBytes) throws IOException, InterruptedException {
        return calls.answer(
                "the names of directory " + directory,
                (link, timeout) -> fetch(link, timeout, directory, mostBytes),
                () -> cache.listing(directory));
    }

    private DirectoryListing fetch(Link link, Duration timeout, FileId directory, long mostBytes)
            throws IOException, InterruptedException {
        ListRequest.Builder request = ListRequest.newBuilder().setDirectory(Messages.bytes(directory));
        CachedDirectory.Listed last = cache.last(directory);
        if (last != null) {
            request.setHave(Messages.wire(last.version()));
        }
        Optional<Want> want = want(directory);
        want.ifPresent(request::setWant);
        Incoming incoming = new Incoming(mostBytes);
        ListPart end;
        try {
            end = link.stream(
                            Envelope.newBuilder().setListRequest(request).build(),
                            timeout,
                            part -> incoming.add(part.getListPart()))
                    .getListPart();
        } catch (FailureException e) {
            throw failed(e, directory, want);
        } catch (StoppedException e) {
            throw e.reason();
        }
        DirectoryListing listing = end.getUnchanged() && last != null ? last.listing() : incoming.finish(end);
        Optional<Lease> lease = want.isPresent() ? holder.granted(end.getGrant()) : Optional.empty();
        if (lease.isPresent()) {
            cache.store(
                    directory,
                    lease.get(),
                    listing,
                    Messages.version(end.getGrant().getVersion()));
        }
        return listing;
    }

    private Optional<Want> want(FileId directory) throws InterruptedException {
        return cache.mayLease(directory) ? holder.want(SESSION_PATIENCE) : Optional.empty();
    }

    /** What to throw; a session that is unknown is a reason to ask again, in another one. */
    private FailureException failed(FailureException failure, FileId directory, Optional<Want> want) {
        switch (failure.code()) {
            case UNKNOWN_SESSION -> {
                want.ifPresent(asked -> holder.sessionUnknown(asked.getSession()));
                return new FailureException(failure.failure().toBuilder()
                        .setCode(Failure.Code.NOT_READY)
                        .build());
            }
            case NOT_FOUND, NOT_DIRECTORY -> cache.forget(directory);
            default -> {
                // Not about what is cached.
            }
        }
        return failure;
    }

    /** A listing is larger than wanted. */
    private static final class TooLargeException extends IOException {
        private static final long serialVersionUID = 1L;

        TooLargeException() {
            super("the listing is too large to be fetched unasked");
        }
    }

    /** Carries an exception out of the callback of a stream, which it breaks off. */
    private static final class StoppedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient IOException reason;

        StoppedException(IOException reason) {
            super(reason);
            this.reason = reason;
        }

        IOException reason() {
            return reason;
        }
    }

    /** The parts of one listing. For one thread. */
    private static final class Incoming {
        private final DirectoryListing.Builder builder = new DirectoryListing.Builder();
        private final long mostBytes;

        Incoming(long mostBytes) {
            this.mostBytes = mostBytes;
        }

        void add(ListPart part) {
            try {
                take(part);
            } catch (IOException e) {
                throw new StoppedException(e);
            }
        }

        private void take(ListPart part) throws IOException {
            for (Entry entry : part.getEntriesList()) {
                builder.add(Messages.name(entry.getName()), Messages.record(entry.getRecord()));
            }
            if (builder.memoryBytes() > mostBytes) {
                throw new TooLargeException();
            }
        }

        DirectoryListing finish(ListPart end) throws IOException {
            take(end);
            if (!end.getLast() || end.getUnchanged()) {
                throw new IOException("protocol error: the listing has no end");
            }
            return builder.build(Messages.record(end.getDirectory()), Messages.fileId(end.getParent()));
        }
    }
}
