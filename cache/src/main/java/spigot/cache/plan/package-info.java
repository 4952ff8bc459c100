/** What to fetch when: pure decisions from the reads of one open file. */
@NullMarked
package spigot.cache.plan;

import org.jspecify.annotations.NullMarked;
