/** The coherence protocols as pure, deterministic state machines: no I/O, no clock, no thread, no randomness but what the caller hands in. */
@NullMarked
package spigot.coherence;

import org.jspecify.annotations.NullMarked;
