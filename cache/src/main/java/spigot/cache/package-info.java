/**
 * The fragment cache of a computing node: memory over disk over replica servers. {@link spigot.cache.FileClient} is the way in;
 * the packages below it are the memory ({@code memory}), the disk ({@code disk}), what to fetch when ({@code plan}) and from whom
 * ({@code source}).
 */
@NullMarked
package spigot.cache;

import org.jspecify.annotations.NullMarked;
