/** TODO */
@NullMarked
package spigot.mount;

import org.jspecify.annotations.NullMarked;
