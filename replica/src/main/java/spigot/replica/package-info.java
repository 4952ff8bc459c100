/** The replica server: publishes trees in place, is home for their files, and serves their bytes. */
@NullMarked
package spigot.replica;

import org.jspecify.annotations.NullMarked;
