/** The FUSE kernel protocol in Java, without C. */
@NullMarked
package spigot.fuse;

import org.jspecify.annotations.NullMarked;
