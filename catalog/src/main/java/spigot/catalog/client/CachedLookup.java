package spigot.catalog.client;

import spigot.model.FileRecord;

/** What is known of a name without asking the catalog. */
public sealed interface CachedLookup {
    /** The name leads to this file. */
    record Present(FileRecord record) implements CachedLookup {}

    /** There is no such name. */
    enum Absent implements CachedLookup {
        ABSENT
    }
}
