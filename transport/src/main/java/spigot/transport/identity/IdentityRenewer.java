package spigot.transport.identity;

import com.google.protobuf.ByteString;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.Peer;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.JoinReply;
import spigot.transport.wire.RenewCertificate;

/**
 * Holds the identity of a process and renews it when two thirds of its term are over, with a new key each time. Connectors and
 * servers take it as their supplier: handshakes from then on use the new certificate, links that are up stay up. Safe for any
 * thread; one virtual thread sleeps until the renewal is due, and tries again until it succeeds.
 */
public final class IdentityRenewer implements Supplier<Identity>, Closeable {
    private static final Logger log = LoggerFactory.getLogger(IdentityRenewer.class);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration MIN_RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_SLEEP = Duration.ofMinutes(10);
    private static final Duration RETRY_WHEN_EXPIRED = Duration.ofMinutes(1);
    private static final Duration MAX_RETRY = Duration.ofHours(1);
    private static final int RETRIES_IN_WHAT_IS_LEFT = 20;

    private final Path directory;
    private final Signer signer;
    private final Clock clock;
    private final Thread thread;
    private volatile Identity current;

    /** Whoever has a certificate request signed. */
    public interface Signer {
        JoinReply sign(ByteString certificateRequest, Identity current) throws IOException, InterruptedException;
    }

    /** Asks the server that carries the catalog. */
    public static Signer over(Peer peer) {
        return (request, current) -> {
            Envelope reply = peer.link(CALL_TIMEOUT)
                    .call(
                            Envelope.newBuilder()
                                    .setRenewCertificate(
                                            RenewCertificate.newBuilder().setCertificateRequest(request))
                                    .build(),
                            CALL_TIMEOUT);
            if (!reply.hasJoinReply()) {
                throw new IOException(peer.address() + " answered the renewal with " + reply.getBodyCase());
            }
            return reply.getJoinReply();
        };
    }

    /** For the server that has the authority itself. */
    public static Signer by(GridAuthority authority) {
        return (request, current) -> authority.renew(request, current.self());
    }

    /**
     * @param directory where the identity is stored and will be replaced
     */
    public IdentityRenewer(Path directory, Identity identity, Signer signer, Clock clock) {
        this.directory = directory;
        this.current = identity;
        this.signer = signer;
        this.clock = clock;
        this.thread = Thread.ofVirtual().name("identity-renewer").start(this::run);
    }

    @Override
    public Identity get() {
        return current;
    }

    /** Renews now, whether it is due or not. */
    public void renew() throws IOException, InterruptedException {
        Identity old = current;
        IdentityRequest request = new IdentityRequest();
        JoinReply reply = signer.sign(request.certificateRequest(), old);
        try {
            Identity renewed = request.accept(reply, old.authority(), clock.instant());
            if (!renewed.self().id().equals(old.self().id())
                    || renewed.self().role() != old.self().role()) {
                throw new IOException("the renewed certificate is for somebody else: " + renewed);
            }
            renewed.store(directory);
            current = renewed;
            log.info(
                    "event=certificate_renewed node={} expires={}",
                    renewed.self().id(),
                    renewed.expires());
        } catch (CertificateException e) {
            throw new IOException("the renewed certificate is of no use: " + e.getMessage(), e);
        }
    }

    private void run() {
        Instant next = current.renewAt();
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Duration wait = Duration.between(clock.instant(), next);
                if (wait.isPositive()) {
                    // In steps, as sleep does not count the time in which a machine is suspended.
                    Thread.sleep(wait.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : wait);
                    continue;
                }
                renew();
                next = current.renewAt();
            } catch (InterruptedException e) {
                return;
            } catch (IOException | RuntimeException e) {
                Duration retry = retryAfter(Duration.between(clock.instant(), current.expires()));
                log.warn(
                        "event=certificate_renewal_failed expires={} retry_millis={} cause=\"{}\"",
                        current.expires(),
                        retry.toMillis(),
                        e.getMessage());
                next = clock.instant().plus(retry);
            }
        }
    }

    /** Several attempts in what is left of the term, neither in haste nor days apart. */
    static Duration retryAfter(Duration left) {
        if (!left.isPositive()) {
            return RETRY_WHEN_EXPIRED;
        }
        Duration share = left.dividedBy(RETRIES_IN_WHAT_IS_LEFT);
        if (share.compareTo(MIN_RETRY) < 0) {
            return MIN_RETRY;
        }
        return share.compareTo(MAX_RETRY) > 0 ? MAX_RETRY : share;
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
