/** The command line: one class for each verb, all of them thin over {@code spigot.node}. */
@NullMarked
package spigot.cli;

import org.jspecify.annotations.NullMarked;
