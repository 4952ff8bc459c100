package spigot.cache;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import spigot.coherence.GrantorConfig;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.session.BootClock;
import spigot.session.LeaseGrantor;
import spigot.transport.BlockChecksums;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.OpenReply;
import spigot.transport.wire.OpenRequest;
import spigot.transport.wire.ReadReply;
import spigot.transport.wire.ReadRequest;
import spigot.transport.wire.SeekReply;
import spigot.transport.wire.XattrReply;
import spigot.transport.wire.XattrRequest;

/** A replica server that speaks the real protocol, with real leases, over bytes that a test makes up; and misbehaves as told. */
final class TestServer implements LinkHandler, AutoCloseable {
    static final GrantorConfig LEASES = GrantorConfig.ofLease(3_000);

    record Served(FileRecord record, TestContent content) {}

    final NodeId id;
    final String address;
    final Map<FileId, Served> files = new ConcurrentHashMap<>();
    final Map<String, byte[]> xattrs = new ConcurrentHashMap<>();
    final AtomicInteger opens = new AtomicInteger();
    final AtomicInteger reads = new AtomicInteger();
    private final AtomicInteger pending = new AtomicInteger();
    final AtomicInteger seeks = new AtomicInteger();
    final AtomicLong sentBytes = new AtomicLong();

    /** So many answers to reads will have a wrong byte. */
    final AtomicInteger corrupt = new AtomicInteger();

    /** Reads after so many get no answer. */
    volatile int answerReads = Integer.MAX_VALUE;

    volatile boolean refuses;
    volatile @Nullable NodeId pretends;
    volatile long delayMillis;
    volatile Failure.Code readFailure = Failure.Code.UNKNOWN;
    private final LeaseGrantor grantor;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private volatile CountDownLatch frozen = new CountDownLatch(0);

    TestServer(int number) {
        id = new NodeId(77, number);
        address = "server-" + number + ":7440";
        grantor = new LeaseGrantor(address, LeaseKind.FILES, LEASES, 1, false, BootClock.system());
    }

    PeerIdentity identity() {
        NodeId shown = pretends;
        return new PeerIdentity(shown == null ? id : shown, PeerIdentity.Role.SERVER, address, "here", "0".repeat(32));
    }

    void serve(FileRecord record, TestContent content) {
        files.put(record.id(), new Served(record, content));
    }

    Served served(FileId file) {
        return Objects.requireNonNull(files.get(file), "not served here");
    }

    /** As a home does: takes the leases back first. */
    void change(FileRecord record, TestContent content) throws IOException, InterruptedException {
        grantor.changing(List.of(record.id()), Duration.ofSeconds(10), () -> {
            serve(record, content);
            return "";
        });
    }

    /** Links stay up, nothing is answered any more. */
    void freeze() {
        frozen = new CountDownLatch(1);
    }

    void thaw() {
        frozen.countDown();
    }

    /** All links break and no new one is made. */
    void kill() {
        refuses = true;
        links.forEach(Link::close);
    }

    void revive() {
        refuses = false;
    }

    @Override
    public void opened(Link link) {
        links.add(link);
    }

    @Override
    public void closed(Link link) {
        links.remove(link);
        grantor.linkClosed(link);
    }

    @Override
    public void message(Link from, Envelope message) {
        grantor.message(from, message);
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws Exception {
        pending.incrementAndGet();
        try {
            answer(from, request, responder);
        } finally {
            pending.decrementAndGet();
        }
    }

    /** Requests that came and are not answered yet. */
    int pending() {
        return pending.get();
    }

    private void answer(Link from, Envelope request, Responder responder) throws Exception {
        frozen.await();
        if (delayMillis > 0) {
            Thread.sleep(delayMillis); // the distance to this server
        }
        if (grantor.request(from, request, responder)) {
            return;
        }
        switch (request.getBodyCase()) {
            case OPEN_REQUEST -> open(from, request.getOpenRequest(), responder);
            case READ_REQUEST -> read(request.getReadRequest(), responder);
            case SEEK_REQUEST -> {
                seeks.incrementAndGet();
                responder.reply(Envelope.newBuilder()
                        .setSeekReply(SeekReply.newBuilder()
                                .setOffset(request.getSeekRequest().getOffset() + 1))
                        .build());
            }
            case XATTR_REQUEST -> xattr(request.getXattrRequest(), responder);
            default -> throw new FailureException(Failure.Code.BAD_REQUEST, "what is " + request.getBodyCase());
        }
    }

    private Served served(ByteString id) throws FailureException {
        Served served = files.get(Messages.fileId(id));
        if (served == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "no such file here");
        }
        return served;
    }

    private void open(Link from, OpenRequest request, Responder responder) throws Exception {
        opens.incrementAndGet();
        FileId file = Messages.fileId(request.getId());
        served(request.getId());
        var grant = grantor.acquire(from, request.getWant(), file, () -> current(file), Duration.ofSeconds(5));
        Served served = served(request.getId());
        OpenReply.Builder reply = OpenReply.newBuilder().setRecord(Messages.wire(served.record));
        grant.ifPresent(reply::setGrant);
        if (request.getFirstLength() == 0) {
            responder.reply(Envelope.newBuilder().setOpenReply(reply).build());
            return;
        }
        ByteBuffer data = ByteBuffer.wrap(served.content.bytes(request.getFirstOffset(), request.getFirstLength()));
        reply.setFirst(BlockChecksums.describe(request.getFirstOffset(), data));
        sentBytes.addAndGet(data.remaining());
        responder.reply(Envelope.newBuilder().setOpenReply(reply).build(), data);
    }

    private spigot.model.Version current(FileId file) {
        Served served = files.get(file);
        return served == null ? spigot.model.Version.NONE : served.record.version();
    }

    private void read(ReadRequest request, Responder responder) throws Exception {
        int number = reads.incrementAndGet();
        if (number > answerReads) {
            return;
        }
        if (readFailure != Failure.Code.UNKNOWN) {
            throw new FailureException(readFailure, "told to fail");
        }
        Served served = served(request.getId());
        if (!served.record.version().equals(Messages.version(request.getVersion()))) {
            throw new FailureException(Failure.Code.VERSION_GONE, "not that version");
        }
        if (request.getOffset() % 4096 != 0 || request.getLength() > 4 << 20) {
            throw new FailureException(Failure.Code.BAD_REQUEST, "not aligned");
        }
        ByteBuffer data = ByteBuffer.wrap(served.content.bytes(request.getOffset(), request.getLength()));
        Blocks blocks = BlockChecksums.describe(request.getOffset(), data);
        if (data.hasRemaining() && corrupt.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            data.put(data.limit() / 2, (byte) (data.get(data.limit() / 2) ^ 1));
        }
        ReadReply reply = ReadReply.newBuilder().setBlocks(blocks).build();
        Envelope envelope = Envelope.newBuilder().setReadReply(reply).build();
        if (blocks.getZero()) {
            responder.reply(envelope);
        } else {
            sentBytes.addAndGet(data.remaining());
            responder.reply(envelope, data);
        }
    }

    private void xattr(XattrRequest request, Responder responder) throws IOException {
        String name = request.getName().toStringUtf8();
        byte @Nullable [] value = name.isEmpty()
                ? (String.join("\0", xattrs.keySet()) + "\0").getBytes(java.nio.charset.StandardCharsets.UTF_8)
                : xattrs.get(name);
        if (value == null) {
            throw new FailureException(Failure.Code.NO_ATTRIBUTE, "no attribute " + name);
        }
        responder.reply(Envelope.newBuilder()
                .setXattrReply(XattrReply.newBuilder().setValue(ByteString.copyFrom(value)))
                .build());
    }

    @Override
    public void close() {
        thaw();
        kill();
        grantor.close();
    }
}
