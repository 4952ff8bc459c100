/** TODO */
@NullMarked
package spigot.cli;

import org.jspecify.annotations.NullMarked;
