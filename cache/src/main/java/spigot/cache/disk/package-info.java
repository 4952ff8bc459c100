/** Blocks of files in a directory, under a byte budget: they survive a restart and any crash, as far as their checksums prove. */
@NullMarked
package spigot.cache.disk;

import org.jspecify.annotations.NullMarked;
