/** Blocks of files in memory outside the heap, and the buffers of transfers: the two together are the memory budget. */
@NullMarked
package spigot.cache.memory;

import org.jspecify.annotations.NullMarked;
