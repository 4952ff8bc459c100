/** System calls of Linux through the foreign function interface. */
@NullMarked
package spigot.linux;

import org.jspecify.annotations.NullMarked;
