/** Who a process is in its grid: the grid's certificate authority, certificates, one-time join tokens, renewal. */
@NullMarked
package spigot.transport.identity;

import org.jspecify.annotations.NullMarked;
