package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.TransportLimits;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.Entry;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Grant;
import spigot.transport.wire.Kind;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.ReadReply;
import spigot.transport.wire.ReplicaInfo;
import spigot.transport.wire.ReplicasReply;
import spigot.transport.wire.Version;

/** Frames survive the way from the writer to the reader, and nothing else gets through. */
class FrameReaderTest {
    private static final TransportLimits.Frames BOUNDS = new TransportLimits.Frames(4 << 10, 64 << 10, 1 << 10);
    private static final int MUTATIONS = 1_000_000;
    /** Objects that one byte of a message can make: an empty message of two bytes is an object and a place in a list. */
    private static final int OBJECT_BYTES_PER_BYTE = 64;
    /** Exceptions with their stack traces, the reader, its stream. */
    private static final int FIXED_BYTES = 24 << 10;

    private static byte[] encode(OutgoingFrame... frames) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FrameWriter writer = new FrameWriter(out);
        for (OutgoingFrame frame : frames) {
            writer.write(frame);
        }
        writer.flush();
        return out.toByteArray();
    }

    private static OutgoingFrame reply(int id, Envelope header, int payloadBytes) {
        byte[] payload = new byte[payloadBytes];
        Arrays.fill(payload, (byte) id);
        return OutgoingFrame.reply(id, header, ByteBuffer.wrap(payload), TransportLimits.DEFAULT.frames());
    }

    @Test
    void whatIsWrittenIsRead() throws Exception {
        Envelope large = Envelope.newBuilder()
                .setFailure(Failure.newBuilder().setMessage("x".repeat(100_000)))
                .build();
        byte[] stream = encode(
                OutgoingFrame.of(FrameKind.REQUEST, 1, ServingHandler.renew(5), TransportLimits.DEFAULT.frames()),
                OutgoingFrame.bare(FrameKind.PING, 0),
                reply(-2, ServingHandler.renew(6), 70_000),
                reply(3, ServingHandler.renew(7), 0),
                OutgoingFrame.of(FrameKind.FAILURE, 4, large, TransportLimits.DEFAULT.frames()));
        // In small pieces, as a network may deliver it.
        FrameReader reader = new FrameReader(new Dribbling(stream), TransportLimits.DEFAULT.frames(), false);
        assertThat(reader.next()).isTrue();
        assertThat(reader.kind()).isEqualTo(FrameKind.REQUEST);
        assertThat(reader.callId()).isEqualTo(1);
        assertThat(reader.header()).isEqualTo(ServingHandler.renew(5));
        assertThat(reader.next()).isTrue();
        assertThat(reader.kind()).isEqualTo(FrameKind.PING);
        assertThat(reader.next()).isTrue();
        assertThat(reader.callId()).isEqualTo(-2);
        assertThat(reader.header()).isEqualTo(ServingHandler.renew(6));
        assertThat(reader.payloadLength()).isEqualTo(70_000);
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        reader.payload(payload::write);
        assertThat(payload.toByteArray()).hasSize(70_000).containsOnly((byte) -2);
        assertThat(reader.next()).isTrue();
        assertThat(reader.header()).isEqualTo(ServingHandler.renew(7));
        assertThat(reader.payloadLength()).isZero();
        assertThat(reader.next()).isTrue();
        assertThat(reader.header()).isEqualTo(large);
        assertThat(reader.next()).isFalse();
    }

    private static final class Dribbling extends InputStream {
        private final InputStream in;

        Dribbling(byte[] bytes) {
            in = new ByteArrayInputStream(bytes);
        }

        @Override
        public int read() throws IOException {
            return in.read();
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            return in.read(target, offset, Math.min(length, 7));
        }
    }

    @Test
    void aJoinerHasATighterBoundUntilItIsTrusted() throws Exception {
        byte[] frame = encode(OutgoingFrame.of(
                FrameKind.REQUEST,
                1,
                Envelope.newBuilder()
                        .setFailure(Failure.newBuilder().setMessage("x".repeat(2_000)))
                        .build(),
                BOUNDS));
        assertThatThrownBy(() -> new FrameReader(new ByteArrayInputStream(frame), BOUNDS, true).next())
                .isInstanceOf(MalformedFrameException.class);
        FrameReader trusting = new FrameReader(new ByteArrayInputStream(frame), BOUNDS, true);
        trusting.trustPeer();
        assertThat(trusting.next()).isTrue();
    }

    @Test
    void aMillionMutatedFramesAreReadOrRefusedWithinTheirBudget() throws Exception {
        long seed = Long.getLong("spigot.seed", System.nanoTime());
        System.out.println("FrameReaderTest -Dspigot.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        List<byte[]> originals = originals();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[] buffer = new byte[FrameReader.BUFFER_BYTES];
        int[] outcomes = new int[3];
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] mutated = mutate(originals.get(random.nextInt(originals.size())), random);
            boolean joiner = random.nextInt(4) == 0;
            long before = threads.getCurrentThreadAllocatedBytes();
            outcomes[outcome(mutated, joiner, buffer)]++;
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            long budget = FIXED_BYTES + (long) OBJECT_BYTES_PER_BYTE * mutated.length;
            if (allocated > budget) {
                // Whoever takes a path first pays for linking it: the second time counts.
                before = threads.getCurrentThreadAllocatedBytes();
                outcome(mutated, joiner, buffer);
                assertThat(threads.getCurrentThreadAllocatedBytes() - before)
                        .as(
                                "bytes allocated in round %d of seed %d for %s",
                                i, seed, HexFormat.of().formatHex(mutated))
                        .isLessThan(budget);
            }
        }
        // The mutations are worth something only if both happen often.
        assertThat(outcomes[0]).as("read").isGreaterThan(MUTATIONS / 20);
        assertThat(outcomes[1]).as("refused").isGreaterThan(MUTATIONS / 20);
        assertThat(outcomes[2]).as("ended within a frame").isGreaterThan(MUTATIONS / 100);
    }

    /** 0: read to the end, 1: refused, 2: ended early. Anything else fails the test. */
    private static int outcome(byte[] stream, boolean joiner, byte[] buffer) throws IOException {
        FrameReader reader = new FrameReader(new ByteArrayInputStream(stream), BOUNDS, joiner, buffer);
        int[] payload = new int[1];
        try {
            while (reader.next()) {
                if (reader.kind().hasHeader()) {
                    convert(reader.header());
                }
                payload[0] = 0;
                reader.payload((source, offset, length) -> payload[0] += length);
                assertThat(payload[0] == reader.payloadLength()).isTrue();
            }
            return 0;
        } catch (MalformedFrameException e) {
            return 1;
        } catch (EOFException e) {
            return 2;
        }
    }

    /** As a receiver does: values, or a FailureException. */
    private static void convert(Envelope envelope) {
        try {
            if (envelope.hasLookupReply()) {
                Messages.record(envelope.getLookupReply().getRecord());
            }
            for (Entry entry : envelope.getListPart().getEntriesList()) {
                Messages.name(entry.getName());
                Messages.record(entry.getRecord());
            }
            for (ReplicaInfo replica : envelope.getReplicasReply().getReplicasList()) {
                Messages.replica(replica);
            }
        } catch (FailureException e) {
            assertThat(e.code() == Failure.Code.BAD_REQUEST).isTrue();
        }
    }

    private static List<byte[]> originals() throws IOException {
        FileRecord record = FileRecord.newBuilder()
                .setId(ByteString.copyFrom(new byte[16]))
                .setAttributes(Attributes.newBuilder()
                        .setKind(Kind.REGULAR)
                        .setMode(0644)
                        .setSize(1 << 30)
                        .setModifiedNanos(1_700_000_000_000_000_000L))
                .setVersion(Version.newBuilder().setEpoch(3).setIndex(9))
                .setFragmentBytes(1 << 20)
                .setHome(ByteString.copyFrom(new byte[16]))
                .build();
        Envelope lookup = Envelope.newBuilder()
                .setLookupReply(LookupReply.newBuilder()
                        .setGrant(Grant.newBuilder().setSession(77).setSequence(5))
                        .setRecord(record))
                .build();
        Envelope list = Envelope.newBuilder()
                .setListPart(ListPart.newBuilder()
                        .addEntries(Entry.newBuilder()
                                .setName(ByteString.copyFromUtf8("name"))
                                .setRecord(record))
                        .addEntries(Entry.newBuilder()
                                .setName(ByteString.copyFromUtf8("other"))
                                .setRecord(record)))
                .build();
        Envelope replicas = Envelope.newBuilder()
                .setReplicasReply(ReplicasReply.newBuilder()
                        .addReplicas(ReplicaInfo.newBuilder()
                                .setServer(ByteString.copyFrom(new byte[16]))
                                .setAddress("10.0.0.1:7440")))
                .build();
        Envelope read = Envelope.newBuilder()
                .setReadReply(ReadReply.newBuilder()
                        .setBlocks(Blocks.newBuilder().setLength(300).setChecksums(ByteString.copyFrom(new byte[4]))))
                .build();
        List<byte[]> originals = new ArrayList<>();
        for (FrameKind kind : FrameKind.values()) {
            originals.add(
                    kind.hasHeader()
                            ? encode(OutgoingFrame.of(kind, 7, lookup, BOUNDS))
                            : encode(OutgoingFrame.bare(kind, 7)));
        }
        originals.add(encode(OutgoingFrame.of(FrameKind.PART, 1, list, BOUNDS), reply(1, replicas, 0)));
        originals.add(encode(reply(1, read, 300), OutgoingFrame.bare(FrameKind.CANCEL, 3)));
        originals.add(encode(OutgoingFrame.of(FrameKind.ONE_WAY, 0, replicas, BOUNDS), reply(9, read, 300)));
        return originals;
    }

    private static byte[] mutate(byte[] original, SplittableRandom random) {
        byte[] bytes = original.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                case 3 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 4), (byte) 0xff);
                case 4 -> bytes = repeated(bytes, at, random.nextInt(60));
                // The lengths in the head, by a little: what is behind them no longer fits.
                default ->
                    bytes[random.nextBoolean() ? 3 : Math.min(12, bytes.length - 1)] += (byte) (1 + random.nextInt(5));
            }
            if (bytes.length < 4) {
                return bytes;
            }
        }
        return bytes;
    }

    private static byte[] repeated(byte[] bytes, int from, int times) {
        int length = Math.min(8, bytes.length - from);
        byte[] longer = Arrays.copyOf(bytes, bytes.length + times * length);
        for (int i = 0; i < times; i++) {
            System.arraycopy(bytes, from, longer, bytes.length + i * length, length);
        }
        return longer;
    }
}
