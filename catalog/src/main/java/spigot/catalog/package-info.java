/** TODO */
@NullMarked
package spigot.catalog;

import org.jspecify.annotations.NullMarked;
