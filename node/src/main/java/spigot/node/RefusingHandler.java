package spigot.node;

import java.io.IOException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/** For links on which this side only asks. */
public final class RefusingHandler implements LinkHandler {
    @Override
    public void request(Link from, Envelope request, Responder responder) throws IOException {
        responder.fail(Failure.newBuilder()
                .setCode(Failure.Code.BAD_REQUEST)
                .setMessage("this process answers no requests")
                .build());
    }
}
