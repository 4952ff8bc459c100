/**
 * The file system that programs see: system calls become questions to the catalog's client (names and attributes) and to the
 * cache (data).
 */
@NullMarked
package spigot.mount;

import org.jspecify.annotations.NullMarked;
