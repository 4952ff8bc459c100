package spigot.replica;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import spigot.model.NodeId;

/** A process that answers operations and says so, until it is killed. Argument: the directory of the log. */
final class KilledLog {
    static final NodeId CLIENT = new NodeId(3, 4);

    private KilledLog() {}

    public static void main(String[] arguments) throws Exception {
        OperationLog log = new OperationLog(Path.of(arguments[0]));
        for (long number = 1; ; number++) {
            OperationLog.Key key = new OperationLog.Key(CLIENT, 1, number);
            // A few hundred are kept.
            log.begin(key, Math.max(0, number - 300));
            log.intend(key, "intent".getBytes(StandardCharsets.US_ASCII));
            System.out.println("intent " + number);
            log.answer(key, ("answer " + number).getBytes(StandardCharsets.US_ASCII));
            System.out.println("answer " + number);
        }
    }
}
