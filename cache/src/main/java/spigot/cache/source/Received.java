package spigot.cache.source;

import spigot.cache.memory.TransferBuffer;

/** Data that came and are what the source described; whoever has them closes the buffer. */
public record Received(TransferBuffer buffer, int length, long travelledBytes) {}
