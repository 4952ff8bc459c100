/**
 * Files that are written: their blocks under tokens, kept beside the cache until they are committed. {@link spigot.cache.live.LiveFiles} is the
 * way in.
 */
@NullMarked
package spigot.cache.live;

import org.jspecify.annotations.NullMarked;
