/** One lease per client and grantor: drives the state machines of coherence over the links of transport. */
@NullMarked
package spigot.session;

import org.jspecify.annotations.NullMarked;
