/** Names, ids, versions and attributes of the grid, as values. Nothing here does I/O. */
@NullMarked
package spigot.model;

import org.jspecify.annotations.NullMarked;
