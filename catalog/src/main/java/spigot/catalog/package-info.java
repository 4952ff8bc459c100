/** The file lookup server: names, attributes, replicas and servers of the grid. */
@NullMarked
package spigot.catalog;

import org.jspecify.annotations.NullMarked;
