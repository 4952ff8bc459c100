package spigot.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.memory.TransferBuffer;
import spigot.cache.memory.TransferBuffers;
import spigot.cache.source.FetchCounters;
import spigot.cache.source.Source;
import spigot.coherence.Lease;
import spigot.model.FileRecord;
import spigot.session.LeaseHolder;
import spigot.transport.BlockChecksums;
import spigot.transport.CallTimeoutException;
import spigot.transport.CorruptPayloadException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.Messages;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.OpenReply;
import spigot.transport.wire.OpenRequest;
import spigot.transport.wire.Want;

/** Asks the homes of files what is true of them. Safe for any thread; blocks. */
final class HomeClient {
    private static final Logger log = LoggerFactory.getLogger(HomeClient.class);
    private static final Duration SESSION_PATIENCE = Duration.ofSeconds(2);
    private static final int SESSION_ATTEMPTS = 3;
    private static final Duration PROBE_PATIENCE = Duration.ofSeconds(2);

    /** How often "not here" is believed to be a thing of the moment, when the catalog still says that it is there. */
    private static final int NOT_HERE_ATTEMPTS = 4;

    /** What a home answered; the bytes, when it sent some, belong to who gets this. */
    record Answer(
            FileRecord record,
            @Nullable Lease lease,
            @Nullable LeaseHolder holder,
            @Nullable TransferBuffer first,
            int firstLength) {
        void close() {
            if (first != null) {
                first.close();
            }
        }
    }

    private final TransferBuffers buffers;
    private final FetchCounters fetches;
    private final CacheCounters counters;

    HomeClient(TransferBuffers buffers, FetchCounters fetches, CacheCounters counters) {
        this.buffers = buffers;
        this.fetches = fetches;
        this.counters = counters;
    }

    /**
     * Asks until a home answers or the patience ends; one that can't be reached is reported to the catalog, which may nominate another.
     *
     * @param have what is cached; nothing is sent but the record when that is current
     * @param inlineBytes how many bytes from the start should come along
     * @throws UnreachableException when the patience ended
     * @throws FailureException when the home refused, or neither it nor the catalog knows the file
     */
    Answer ask(Places places, FileRecord have, int inlineBytes, Patience patience)
            throws IOException, InterruptedException {
        int notHere = 0;
        while (true) {
            IOException cause;
            boolean nominate = false;
            try {
                return once(places, have, inlineBytes, patience.callTimeout());
            } catch (FailureException e) {
                cause = e;
                switch (e.code()) {
                    case NOT_READY, TOO_MANY, UNKNOWN_SESSION -> {}
                    case NOT_HOME, NOT_FOUND, VERSION_GONE -> {
                        if (++notHere >= NOT_HERE_ATTEMPTS) {
                            throw e;
                        }
                    }
                    case UNKNOWN,
                            NOT_DIRECTORY,
                            DENIED,
                            BAD_REQUEST,
                            CONFLICT,
                            IO_ERROR,
                            BAD_TOKEN,
                            NO_ATTRIBUTE,
                            SERIALISED,
                            NO_TOKEN,
                            UNRECOGNIZED -> throw e;
                }
            } catch (LinkBrokenException e) {
                cause = e;
                nominate = true;
            } catch (CorruptPayloadException | CallTimeoutException e) {
                cause = e; // it lives, as far as its link knows
            } catch (IOException e) {
                cause = e; // the catalog did not answer
            }
            if (patience.isOver()) {
                throw new UnreachableException(
                        "file " + have.id() + " can't be opened at its home: " + cause.getMessage(), cause);
            }
            relocate(places, nominate, patience.callTimeout());
            patience.pause();
        }
    }

    private static void relocate(Places places, boolean nominate, Duration atMost)
            throws IOException, InterruptedException {
        try {
            places.locate(nominate, atMost);
        } catch (FailureException e) {
            if (e.code() == Failure.Code.NOT_FOUND) {
                throw e; // the file is gone
            }
            log.debug("event=locate_failed cause=\"{}\"", e.getMessage());
        } catch (IOException e) {
            log.debug("event=locate_failed cause=\"{}\"", e.getMessage());
        }
    }

    /** Asks the home once. */
    Answer once(Places places, FileRecord have, int inlineBytes, Duration timeout)
            throws IOException, InterruptedException {
        Source home = places.homeSource(timeout);
        try {
            Answer answer = Bounded.call(
                    "opening " + have.id() + " at " + home.address(),
                    timeout,
                    () -> exchange(home, have, inlineBytes, timeout),
                    Answer::close);
            home.heard();
            places.homeIs(answer.record());
            return answer;
        } catch (FailureException e) {
            home.heard();
            throw e;
        } catch (LinkBrokenException e) {
            home.failed();
            throw e;
        } catch (CallTimeoutException e) {
            home.unanswered(() -> probe(home, have));
            throw e;
        }
    }

    /** Asks for the file without wanting anything of the answer but that it comes. */
    private void probe(Source home, FileRecord have) throws IOException, InterruptedException {
        Bounded.call(
                        "asking " + home.address() + " whether it answers",
                        PROBE_PATIENCE,
                        () -> exchange(home, home.link(), Optional.empty(), have, 0, PROBE_PATIENCE),
                        Answer::close)
                .close();
    }

    private Answer exchange(Source home, FileRecord have, int inlineBytes, Duration timeout)
            throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            Link link = home.link();
            Optional<Want> want = home.leases().want(shorter(SESSION_PATIENCE, timeout.dividedBy(2)));
            try {
                return exchange(home, link, want, have, inlineBytes, timeout);
            } catch (FailureException e) {
                if (e.code() != Failure.Code.UNKNOWN_SESSION || want.isEmpty() || attempt >= SESSION_ATTEMPTS) {
                    throw e;
                }
                home.leases().sessionUnknown(want.get().getSession());
            }
        }
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private Answer exchange(
            Source home, Link link, Optional<Want> want, FileRecord have, int inlineBytes, Duration timeout)
            throws IOException, InterruptedException {
        OpenRequest.Builder open = OpenRequest.newBuilder()
                .setId(Messages.bytes(have.id()))
                .setHave(Messages.wire(have.version()))
                .setFirstLength(inlineBytes);
        want.ifPresent(open::setWant);
        Envelope request = Envelope.newBuilder().setOpenRequest(open).build();
        counters.openRequests.increment();
        if (inlineBytes == 0) {
            return answer(home, have, reply(link.call(request, timeout)), null, 0);
        }
        TransferBuffer buffer = buffers.acquire(inlineBytes);
        try {
            ByteBuffer payload = buffer.view(0, inlineBytes);
            OpenReply reply = reply(link.fetch(request, payload, timeout, null));
            payload.flip();
            int length = first(reply, payload, buffer, inlineBytes);
            Answer answer = answer(home, have, reply, length == 0 ? null : buffer, length);
            if (answer.first() != null) {
                buffer = null;
            }
            return answer;
        } finally {
            if (buffer != null) {
                buffer.close();
            }
        }
    }

    private static OpenReply reply(Envelope envelope) throws IOException {
        if (!envelope.hasOpenReply()) {
            throw new CorruptPayloadException("an open was answered with " + envelope.getBodyCase());
        }
        return envelope.getOpenReply();
    }

    /** @return how many bytes came, right ones */
    private int first(OpenReply reply, ByteBuffer payload, TransferBuffer buffer, int asked)
            throws CorruptPayloadException {
        if (!reply.hasFirst() || reply.getFirst().getLength() == 0) {
            return 0;
        }
        Blocks blocks = reply.getFirst();
        fetches.received(payload.remaining());
        try {
            BlockChecksums.verify(blocks, payload);
        } catch (CorruptPayloadException e) {
            fetches.corrupt();
            throw e;
        }
        int length = blocks.getLength();
        if (blocks.getOffset() != 0
                || length > asked
                || length != Math.min(asked, reply.getRecord().getAttributes().getSize())) {
            return 0; // not what was asked: of no use
        }
        if (blocks.getZero()) {
            buffer.memory().asSlice(0, length).fill((byte) 0);
        }
        return length;
    }

    private static Answer answer(
            Source home, FileRecord have, OpenReply reply, @Nullable TransferBuffer first, int firstLength)
            throws IOException {
        FileRecord record = Messages.record(reply.getRecord());
        if (!record.id().equals(have.id())) {
            throw new CorruptPayloadException(
                    "an open of file " + have.id() + " was answered with file " + record.id());
        }
        LeaseHolder holder = home.leases();
        Lease lease = reply.hasGrant() ? holder.granted(reply.getGrant()).orElse(null) : null;
        return new Answer(record, lease, lease == null ? null : holder, first, firstLength);
    }
}
