package spigot.session;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/** The calls that keep a session with one server: each bounded, none that fails. Safe for any thread; on a virtual thread of its own each. */
final class SessionCalls {
    private static final Logger log = LoggerFactory.getLogger(SessionCalls.class);

    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(5);

    private static final Duration BYE_TIMEOUT = Duration.ofSeconds(1);

    private final String server;

    /** @param server for the log */
    SessionCalls(String server) {
        this.server = server;
    }

    /** The reply, which may be a Failure; empty when none came: the machine asks again. */
    Optional<Envelope> call(Link to, Envelope request) {
        try {
            return Optional.of(to.call(request, CALL_TIMEOUT));
        } catch (FailureException e) {
            if (e.code() != Failure.Code.UNKNOWN_SESSION) {
                log.warn(
                        "event=session_refused server={} request={} cause=\"{}\"",
                        server,
                        request.getBodyCase(),
                        e.getMessage());
            }
            return Optional.of(Envelope.newBuilder().setFailure(e.failure()).build());
        } catch (IOException e) {
            log.debug(
                    "event=session_call_lost server={} request={} cause=\"{}\"",
                    server,
                    request.getBodyCase(),
                    e.getMessage());
            return Optional.empty();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a call of a session", e);
        }
    }

    /** Ends a session, so that nobody has to wait for its lease; when that is not heard, they wait. On the thread of who closes. */
    void bye(Link to, Envelope request) {
        try {
            to.call(request, BYE_TIMEOUT);
        } catch (IOException e) {
            log.debug("event=bye_lost server={} cause=\"{}\"", server, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
