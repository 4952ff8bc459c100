/** TODO */
@NullMarked
package spigot.node;

import org.jspecify.annotations.NullMarked;
