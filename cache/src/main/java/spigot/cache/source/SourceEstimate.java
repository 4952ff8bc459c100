package spigot.cache.source;

/**
 * What may be expected of a source now.
 *
 * @param available false while it is left alone because it broke or was silent
 * @param firstByteNanos until the first byte of an answer; 0: not known
 * @param bytesPerNano of one request; 0: not known
 * @param outstandingBytes asked for and not here yet
 */
public record SourceEstimate(boolean available, long firstByteNanos, double bytesPerNano, long outstandingBytes) {}
