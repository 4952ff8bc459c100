package spigot.replica;

import spigot.model.RawBytes;

/**
 * An entry that is not published.
 *
 * @param path below the source, raw bytes; empty for the source itself
 * @param errno of the system call that failed; 0 when it was left out for another reason
 */
public record Skipped(RawBytes source, RawBytes path, int errno, String reason) {}
