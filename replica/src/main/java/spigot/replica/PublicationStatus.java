package spigot.replica;

import spigot.model.LogicalPath;
import spigot.model.RawBytes;

/**
 * One publication, for people.
 *
 * @param source the local path, raw bytes
 * @param detail why it is MISSING or FAILED, or what is odd about its source; empty otherwise
 * @param entries registered names
 * @param seen entries looked at by the running or last scan
 * @param registered of those, entries that had to be told to the catalog
 */
public record PublicationStatus(
        RawBytes source,
        LogicalPath path,
        boolean readOnly,
        boolean replica,
        PublicationState state,
        String detail,
        long entries,
        long seen,
        long registered,
        long skipped) {}
