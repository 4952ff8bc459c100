/** {@code spigot demo}: a grid on one machine, used by ordinary programs, measured. */
@NullMarked
package spigot.cli.demo;

import org.jspecify.annotations.NullMarked;
