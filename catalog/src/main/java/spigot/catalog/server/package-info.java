/** The file lookup server: a replicated log (Ratis) of commands upon tables (RocksDB), behind the messages of the grid. */
@NullMarked
package spigot.catalog.server;

import org.jspecify.annotations.NullMarked;
