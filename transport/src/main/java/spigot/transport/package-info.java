/** Authenticated, multiplexed links between the processes of a grid: TLS 1.3, bounded frames, several connections a peer. */
@NullMarked
package spigot.transport;

import org.jspecify.annotations.NullMarked;
