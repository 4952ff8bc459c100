/** One process from the roles asked for: a replica server, the first of a grid with the catalog, or a mount. */
@NullMarked
package spigot.node;

import org.jspecify.annotations.NullMarked;
