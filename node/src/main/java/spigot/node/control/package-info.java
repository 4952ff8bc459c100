/** How verbs of the command line talk to the processes of their own machine: JSON lines over a Unix domain socket. */
@NullMarked
package spigot.node.control;

import org.jspecify.annotations.NullMarked;
