package spigot.cache.source;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import spigot.cache.memory.TransferBuffer;
import spigot.model.FileVersion;
import spigot.transport.BlockChecksums;
import spigot.transport.CorruptPayloadException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.ReadRequest;

/** One request for one range to one source, on a virtual thread of its own. Its outcome goes to the {@link FetchRound}. */
final class FetchAttempt {
    private static final Duration LONGEST = Duration.ofMinutes(5);

    final Source source;
    private final FileVersion content;
    private final long offset;
    private final int length;
    private final TransferBuffer buffer;
    private final FetchCounters counters;
    private final long startNanos = System.nanoTime();
    private volatile long firstByteNanos;
    private volatile long progressNanos = startNanos;
    private @Nullable Thread thread;

    FetchAttempt(
            Source source,
            FileVersion content,
            long offset,
            int length,
            TransferBuffer buffer,
            FetchCounters counters) {
        this.source = source;
        this.content = content;
        this.offset = offset;
        this.length = length;
        this.buffer = buffer;
        this.counters = counters;
    }

    void start(FetchRound round) {
        source.meter().asked(length);
        thread = Thread.ofVirtual().name("fetch-" + source.address()).start(() -> {
            Received received = null;
            IOException failure = null;
            try {
                received = fetch();
            } catch (IOException e) {
                failure = e;
            } catch (InterruptedException _) {
                failure = new IOException("given up");
            } catch (RuntimeException e) {
                failure = new IOException("internal error: " + e, e);
            } finally {
                source.meter().settled(length);
                if (received == null) {
                    buffer.close();
                }
            }
            round.ended(this, received, failure);
        });
    }

    /** The source has its own connections and keepalive; this only stops waiting. */
    void cancel() {
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    /** Since when no byte has come. */
    long silentSinceNanos() {
        return progressNanos;
    }

    private void progress() {
        long now = System.nanoTime();
        if (firstByteNanos == 0) {
            firstByteNanos = now;
        }
        progressNanos = now;
    }

    private Received fetch() throws IOException, InterruptedException {
        Link link = source.link();
        ByteBuffer payload = buffer.view(0, length);
        Envelope reply = link.fetch(request(), payload, LONGEST, this::progress);
        source.heard();
        if (!reply.hasReadReply()) {
            throw new CorruptPayloadException("a read was answered with " + reply.getBodyCase());
        }
        Blocks blocks = reply.getReadReply().getBlocks();
        if (blocks.getOffset() != offset || blocks.getLength() != length) {
            throw new CorruptPayloadException("a read of " + length + " bytes at offset " + offset
                    + " was answered with " + blocks.getLength() + " bytes at offset " + blocks.getOffset());
        }
        long end = System.nanoTime();
        payload.flip();
        int travelled = payload.remaining();
        try {
            BlockChecksums.verify(blocks, payload);
        } finally {
            counters.received(travelled); // it came, good or bad
        }
        long first = firstByteNanos == 0 ? end : firstByteNanos;
        source.meter().answered(first - startNanos, travelled, end - first);
        MemorySegment memory = buffer.memory();
        if (blocks.getZero()) {
            memory.asSlice(0, length).fill((byte) 0);
        }
        return new Received(buffer, length, travelled);
    }

    private Envelope request() {
        return Envelope.newBuilder()
                .setReadRequest(ReadRequest.newBuilder()
                        .setId(Messages.bytes(content.file()))
                        .setVersion(Messages.wire(content.version()))
                        .setOffset(offset)
                        .setLength(length))
                .build();
    }
}
