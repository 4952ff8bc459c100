package spigot.catalog.server;

import java.io.IOException;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;

/** Applies one entry of the log to the tables of this member. Called for one entry after the other. */
final class Applier {
    private Applier() {}

    static Outcome apply(Tables tables, Command command, Tables.Applied entry) throws IOException {
        try (View view = tables.view()) {
            Transaction rows = new Transaction(view);
            Namespace.Result result = Namespace.apply(command, rows);
            // An entry without effect is noted as well: it must not be applied to later tables after a restart.
            tables.commit(result.changes() ? rows : new Transaction(view), entry);
            return result.outcome();
        }
    }
}
