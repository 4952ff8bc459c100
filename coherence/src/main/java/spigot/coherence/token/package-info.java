/**
 * Tokens to read and to write ranges of files, as pure, deterministic state machines: {@link spigot.coherence.token.TokenHome}
 * at the file's home, {@link spigot.coherence.token.TokenHolder} at the client.
 */
@NullMarked
package spigot.coherence.token;

import org.jspecify.annotations.NullMarked;
