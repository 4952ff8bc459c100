package spigot.node.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import spigot.node.NodeException;

/** Carries out one verb. Called on a virtual thread of its own, so it may block. */
@FunctionalInterface
public interface ControlHandler {
    /** Tells who asked how far it is. */
    @FunctionalInterface
    interface Progress {
        /** @throws IOException when who asked is gone: nobody waits for the result any more */
        void report(ObjectNode state) throws IOException;
    }

    /** @throws NodeException with the line that the user sees */
    JsonNode handle(ObjectNode request, Progress progress) throws NodeException, IOException, InterruptedException;
}
