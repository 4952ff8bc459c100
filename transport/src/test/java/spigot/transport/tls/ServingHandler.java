package spigot.transport.tls;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Responder;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.DigestReply;
import spigot.transport.wire.Done;
import spigot.transport.wire.Entry;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.ListRequest;
import spigot.transport.wire.ReadReply;
import spigot.transport.wire.ReadRequest;
import spigot.transport.wire.Renew;
import spigot.transport.wire.Renewed;
import spigot.transport.wire.SeekReply;
import spigot.transport.wire.SeekRequest;

/**
 * Serves made-up answers to real messages: Renew comes back with its session as epoch; ReadRequest with as many bytes of a
 * pattern as it asks for; ListRequest in as many parts as its directory id says; SeekRequest waits until {@link #gate} opens.
 */
class ServingHandler implements LinkHandler {
    final Queue<Envelope> messages = new ConcurrentLinkedQueue<>();
    final Queue<Link> opened = new ConcurrentLinkedQueue<>();
    final Queue<Link> closed = new ConcurrentLinkedQueue<>();
    final CountDownLatch gate = new CountDownLatch(1);
    final AtomicInteger waiting = new AtomicInteger();
    final AtomicInteger partsSent = new AtomicInteger();
    final Queue<Exception> ends = new ConcurrentLinkedQueue<>();

    static Envelope renew(long session) {
        return Envelope.newBuilder()
                .setRenew(Renew.newBuilder().setSession(session))
                .build();
    }

    static Envelope read(long offset, int length) {
        return Envelope.newBuilder()
                .setReadRequest(ReadRequest.newBuilder().setOffset(offset).setLength(length))
                .build();
    }

    static Envelope list(int parts) {
        return Envelope.newBuilder()
                .setListRequest(ListRequest.newBuilder().setDirectory(ByteString.copyFromUtf8("" + parts)))
                .build();
    }

    static Envelope gated() {
        return Envelope.newBuilder()
                .setSeekRequest(SeekRequest.getDefaultInstance())
                .build();
    }

    /** The byte of the pattern at an offset. */
    static byte pattern(long offset) {
        return (byte) (offset * 31 + (offset >>> 12));
    }

    static byte[] pattern(long offset, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = pattern(offset + i);
        }
        return bytes;
    }

    @Override
    public void opened(Link link) {
        opened.add(link);
    }

    @Override
    public void closed(Link link) {
        closed.add(link);
    }

    @Override
    public void message(Link from, Envelope message) {
        messages.add(message);
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws Exception {
        switch (request.getBodyCase()) {
            case RENEW ->
                responder.reply(Envelope.newBuilder()
                        .setRenewed(
                                Renewed.newBuilder().setEpoch(request.getRenew().getSession()))
                        .build());
            case READ_REQUEST -> read(request.getReadRequest(), responder);
            case LIST_REQUEST -> list(request.getListRequest(), responder);
            case SEEK_REQUEST -> waitForGate(responder);
            case XATTR_REQUEST -> throw new FailureException(Failure.Code.NO_ATTRIBUTE, "no such attribute");
            case DIGEST_REQUEST ->
                responder.reply(Envelope.newBuilder()
                        .setDigestReply(DigestReply.newBuilder()
                                .addSha256(ByteString.copyFrom(
                                        new byte[request.getDigestRequest().getFragments()])))
                        .build());
            case GRID_REQUEST -> throw new IllegalStateException("a fault of the handler");
            case SERVER_HELLO -> throw new IOException("the disk is gone");
            default ->
                responder.reply(
                        Envelope.newBuilder().setDone(Done.getDefaultInstance()).build());
        }
    }

    private static void read(ReadRequest request, Responder responder) throws IOException {
        byte[] bytes = pattern(request.getOffset(), request.getLength());
        responder.reply(
                Envelope.newBuilder()
                        .setReadReply(ReadReply.newBuilder()
                                .setBlocks(Blocks.newBuilder()
                                        .setOffset(request.getOffset())
                                        .setLength(bytes.length)))
                        .build(),
                ByteBuffer.wrap(bytes));
    }

    private void list(ListRequest request, Responder responder) throws IOException {
        int parts = Integer.parseInt(request.getDirectory().toStringUtf8());
        try {
            for (int i = 0; i < parts; i++) {
                responder.part(Envelope.newBuilder()
                        .setListPart(ListPart.newBuilder()
                                .addEntries(Entry.newBuilder().setName(ByteString.copyFromUtf8("entry " + i))))
                        .build());
                partsSent.incrementAndGet();
            }
        } catch (IOException e) {
            ends.add(e);
            throw e;
        }
        responder.reply(Envelope.newBuilder()
                .setListPart(ListPart.newBuilder().setLast(true))
                .build());
    }

    private void waitForGate(Responder responder) throws IOException, InterruptedException {
        waiting.incrementAndGet();
        try {
            gate.await();
        } finally {
            waiting.decrementAndGet();
        }
        responder.reply(Envelope.newBuilder()
                .setSeekReply(SeekReply.newBuilder().setOffset(1))
                .build());
    }
}
