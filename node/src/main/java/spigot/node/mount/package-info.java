/** A mount: its daemon, the process that starts it, and the verbs that find it again. */
@NullMarked
package spigot.node.mount;

import org.jspecify.annotations.NullMarked;
