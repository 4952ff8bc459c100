package spigot.cache;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Takes bytes straight from the cache's memory. */
@FunctionalInterface
public interface SliceConsumer {
    /** The bytes stay as they are until this returns, and may not be written or used any longer. */
    void accept(MemorySegment memory, long offset, int length) throws IOException;
}
