package spigot.replica.commit;

import spigot.model.NodeId;

/**
 * A commit, as its client names it.
 *
 * @param heardBelow the client has the answers to all operations of the session with lower numbers
 */
public record OperationKey(NodeId client, long session, long number, long heardBelow) {
    SessionKey sessionKey() {
        return new SessionKey(client, session);
    }

    record SessionKey(NodeId client, long session) {}
}
