package spigot.replica.commit;

import java.io.IOException;
import spigot.model.FileId;

/** Opens a published file for writing in place, for a folding; called with no lock of the commits. */
@FunctionalInterface
public interface PublishedFiles {
    /**
     * @return to be closed by the caller: until then nobody else changes the file, or looks whether it was changed
     * @throws GoneException when the file will never come back: what is committed to it and not folded is given up
     */
    StoredFile open(FileId file) throws IOException, InterruptedException;
}
