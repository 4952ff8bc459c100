package spigot.replica.commit;

import java.io.IOException;
import spigot.model.FileId;

/** Opens a published file for writing in place. */
@FunctionalInterface
public interface PublishedFiles {
    /** @return to be closed by the caller */
    StoredFile open(FileId file) throws IOException, InterruptedException;
}
