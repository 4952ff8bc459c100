package spigot.cache;

import java.io.IOException;
import spigot.catalog.client.Located;
import spigot.model.FileId;

/** Asks the catalog where a file is. Blocks; called on virtual threads. */
@FunctionalInterface
public interface Locator {
    /**
     * @param nominate the home could not be reached: another server becomes the home if its lease has ended
     * @throws IOException when the catalog did not answer, or knows no such file (FailureException NOT_FOUND)
     */
    Located locate(FileId file, boolean nominate) throws IOException, InterruptedException;
}
