package spigot.replica.commit;

import spigot.model.Version;

/**
 * The answer to a commit, which is durable.
 *
 * @param version what the commit made
 * @param size of the file in this version; bytes that were appended end there
 */
public record Committed(Version version, long size) {}
