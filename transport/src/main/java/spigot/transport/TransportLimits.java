package spigot.transport;

import java.time.Duration;

/**
 * The bounds of every link; {@link #DEFAULT} is for production, tests shorten the times.
 *
 * @param bulkConnections how many of them a link opens, 1 to 16
 */
public record TransportLimits(Frames frames, Queues queues, int bulkConnections, Times times) {
    /** What an accepting side takes from one peer. */
    public static final int MAX_BULK_CONNECTIONS = 16;

    public static final TransportLimits DEFAULT = new TransportLimits(
            new Frames(1 << 20, (4 << 20) + (64 << 10), 16 << 10),
            new Queues(1024, 1024, 1 << 20),
            4,
            new Times(
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(8),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(10)));

    public TransportLimits {
        if (bulkConnections < 1 || bulkConnections > MAX_BULK_CONNECTIONS) {
            throw new IllegalArgumentException("a link has 1 to 16 bulk connections, not " + bulkConnections);
        }
    }

    /**
     * Checked before anything is allocated for a frame.
     *
     * @param headerBytes largest encoded Envelope, sent or received
     * @param payloadBytes largest payload
     * @param joinerBytes largest frame from a peer that has no certificate of the grid yet
     */
    public record Frames(int headerBytes, int payloadBytes, int joinerBytes) {
        public Frames {
            if (joinerBytes <= 0 || headerBytes < joinerBytes || payloadBytes < headerBytes) {
                throw new IllegalArgumentException("0 < joinerBytes <= headerBytes <= payloadBytes");
            }
        }
    }

    /**
     * Of each connection.
     *
     * @param requestsInFlight requests that are served at a time; beyond it nothing more is read
     * @param frames frames that wait to be written; beyond it senders block
     * @param bytes encoded bytes that wait to be written, payloads not counted; beyond it senders block
     */
    public record Queues(int requestsInFlight, int frames, int bytes) {
        public Queues {
            if (requestsInFlight <= 0 || frames <= 0 || bytes <= 0) {
                throw new IllegalArgumentException("the bounds of queues are positive");
            }
        }
    }

    /**
     * @param pingAfter a ping is sent after so much silence
     * @param deadAfter after so much silence the connection is broken; more than {@code pingAfter}
     * @param stalledAfter a write that got nowhere for so long breaks the connection
     * @param connectWithin for the TCP connection
     * @param handshakeWithin for TLS, preface and hello together, on either side
     */
    public record Times(
            Duration pingAfter,
            Duration deadAfter,
            Duration stalledAfter,
            Duration connectWithin,
            Duration handshakeWithin) {
        public Times {
            if (!pingAfter.isPositive() || deadAfter.compareTo(pingAfter) <= 0) {
                throw new IllegalArgumentException("0 < pingAfter < deadAfter");
            }
        }
    }

    public TransportLimits with(Frames frames) {
        return new TransportLimits(frames, queues, bulkConnections, times);
    }

    public TransportLimits with(Queues queues) {
        return new TransportLimits(frames, queues, bulkConnections, times);
    }

    public TransportLimits with(Times times) {
        return new TransportLimits(frames, queues, bulkConnections, times);
    }

    public TransportLimits withBulkConnections(int bulkConnections) {
        return new TransportLimits(frames, queues, bulkConnections, times);
    }

    /** The default with another keepalive. */
    public TransportLimits withKeepalive(Duration pingAfter, Duration deadAfter) {
        return with(
                new Times(pingAfter, deadAfter, times.stalledAfter(), times.connectWithin(), times.handshakeWithin()));
    }
}
