package spigot.cache;

import spigot.model.NodeId;

/**
 * How one replica server has served this node.
 *
 * @param available false while it is left alone because it broke or was silent
 * @param bytesPerSecond as measured, of one request at a time; 0: not known yet
 * @param firstByteMicros usual time until the first byte of an answer; 0: not known yet
 */
public record SourceStatus(
        NodeId server,
        String address,
        boolean available,
        long bytesPerSecond,
        long firstByteMicros,
        long bytesReceived,
        long failures) {}
