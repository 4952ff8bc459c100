/** A replica server: its directory, its process, and how verbs on its machine talk to it. */
@NullMarked
package spigot.node.server;

import org.jspecify.annotations.NullMarked;
