/** The state of the user's side: identities of grids, mounts that are there, logs and caches, below {@code $SPIGOT_HOME}. */
@NullMarked
package spigot.node.home;

import org.jspecify.annotations.NullMarked;
