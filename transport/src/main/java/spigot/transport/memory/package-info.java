/** Links inside one process: the twin of the real ones, for tests and simulations of what is built upon links. */
@NullMarked
package spigot.transport.memory;

import org.jspecify.annotations.NullMarked;
