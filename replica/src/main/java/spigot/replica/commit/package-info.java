/**
 * The commit path of a home: a log of changes to the content of files, what is read while they are not yet in the published file, and
 * how they come to be there. See docs/ARCHITECTURE.md, "Commits".
 */
@NullMarked
package spigot.replica.commit;

import org.jspecify.annotations.NullMarked;
