package spigot.replica.commit;

import java.io.IOException;
import java.util.List;

/** A directory of plain files: where the log lies. Used by one process at a time. */
public interface Store {
    /** For messages. */
    String name();

    List<String> list() throws IOException;

    /** A new empty file; one that exists is emptied. Its name is durable after {@link #syncNames}. */
    StoredFile create(String name) throws IOException;

    StoredFile open(String name) throws IOException;

    void delete(String name) throws IOException;

    void syncNames() throws IOException;
}
