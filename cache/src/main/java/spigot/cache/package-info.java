/** TODO */
@NullMarked
package spigot.cache;

import org.jspecify.annotations.NullMarked;
