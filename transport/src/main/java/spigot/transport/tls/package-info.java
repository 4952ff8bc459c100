/** The links on real sockets: TLS 1.3 on virtual threads, one control and several bulk connections a peer. */
@NullMarked
package spigot.transport.tls;

import org.jspecify.annotations.NullMarked;
