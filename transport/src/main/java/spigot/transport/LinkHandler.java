package spigot.transport;

import spigot.transport.wire.Envelope;

/** What one process does with what its peers send. */
public interface LinkHandler {
    /** A new link is up, before anything is received on it. Must not block. */
    default void opened(Link link) {}

    /**
     * A request; called on a virtual thread of its own, so it may block. An exception becomes a Failure. It may return before the
     * request is answered, but must see to it that it will be: an unanswered request holds a place of its connection.
     */
    void request(Link from, Envelope request, Responder responder) throws Exception;

    /** A message without reply; called in order on the link's reading thread: must not block. */
    default void message(Link from, Envelope message) {}

    /** The link has broken or was closed. Must not block. */
    default void closed(Link link) {}
}
