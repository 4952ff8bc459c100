package spigot.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * Answers one request: any number of {@link #part}, then exactly one of the others. Safe for any thread. Back pressure:
 * the calls block while the connection's send queue is full.
 */
public interface Responder {
    void part(Envelope part) throws IOException;

    void reply(Envelope reply) throws IOException;

    /** @param payload its remaining bytes follow the reply; not changed and not kept after the call returns */
    void reply(Envelope reply, ByteBuffer payload) throws IOException;

    void fail(Failure failure) throws IOException;
}
