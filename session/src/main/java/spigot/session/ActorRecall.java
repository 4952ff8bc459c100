package spigot.session;

import java.util.Optional;
import spigot.coherence.GrantorAction;

/** A recall for a change that a client has asked for. */
public interface ActorRecall extends Recall {
    /**
     * The change has taken effect. It stays open until its actor has said that it has seen it, or the actor's session has ended; to
     * close it does nothing then. To be called once.
     *
     * @param finished is run when it is closed, on any thread and under a lock: must not block
     * @return what the actor has to be told, for it to say so; empty when it need not: then the change is closed
     */
    Optional<GrantorAction.OwnChange> visible(Runnable finished);
}
