/** The catalog as a computing node or a replica server sees it: leased directories, look-ups, registration. */
@NullMarked
package spigot.catalog.client;

import org.jspecify.annotations.NullMarked;
