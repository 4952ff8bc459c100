/** TODO */
@NullMarked
package spigot.replica;

import org.jspecify.annotations.NullMarked;
