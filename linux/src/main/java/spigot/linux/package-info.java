/**
 * System calls of Linux through the foreign function interface, as thin as they can be: pointers and descriptors are numbers, a failed call returns
 * {@code -errno}, nothing is allocated. x86_64 and aarch64 (little-endian) with glibc.
 */
@NullMarked
package spigot.linux;

import org.jspecify.annotations.NullMarked;
