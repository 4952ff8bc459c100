/** Where bytes come from: the replica servers, how well they serve, and a read that goes on at the next one when one breaks. */
@NullMarked
package spigot.cache.source;

import org.jspecify.annotations.NullMarked;
