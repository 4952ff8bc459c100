package spigot.replica;

import spigot.linux.FileStatus;
import spigot.model.Attributes;

/**
 * What a new look at a file tells, compared with what is known of it. The content counts as unchanged only when size and
 * modification time are, and the change time too, unless something that moves the change time alone was seen to happen:
 * docs/decisions/0007-fingerprints.md. Pure.
 */
enum FileChange {
    NONE,
    /** Same content. */
    ATTRIBUTES,
    /** The content can have changed in place. */
    CONTENT,
    /** The name leads to another file. */
    OTHER_FILE;

    static FileChange between(IndexedFile known, FileStatus now) {
        Attributes before = known.attributes();
        if (known.inode() != now.inode()
                || known.device() != now.device()
                || before.bornNanos() != now.bornNanos()
                || before.kind().typeBits() != (now.fullMode() & ~07777)) {
            return OTHER_FILE;
        }
        if (before.size() != now.size() || before.modifiedNanos() != now.modifiedNanos()) {
            return before.isRegular() ? CONTENT : ATTRIBUTES;
        }
        boolean explained = before.mode() != (now.fullMode() & 07777)
                || before.uid() != now.uid()
                || before.gid() != now.gid()
                || before.links() != now.links();
        if (before.changedNanos() != now.changedNanos()) {
            return explained || !before.isRegular() ? ATTRIBUTES : CONTENT;
        }
        // A row of an earlier release does not tell them: looked at once, then it does.
        boolean told = before.xattrs().isKnown();
        return explained || !told || before.allocatedBytes() != now.allocatedBytes() ? ATTRIBUTES : NONE;
    }

    /** As {@link #between}, for a file that was found under another name: a rename moves the change time. */
    static FileChange betweenRenamed(IndexedFile known, FileStatus now) {
        FileChange change = between(known, now);
        boolean onlyChangeTime = change == CONTENT
                && known.attributes().size() == now.size()
                && known.attributes().modifiedNanos() == now.modifiedNanos();
        return onlyChangeTime ? ATTRIBUTES : change;
    }

    /** Whether a read between the two looks saw one content. */
    static boolean sameContent(FileStatus before, FileStatus after) {
        if (before.size() != after.size() || before.modifiedNanos() != after.modifiedNanos()) {
            return false;
        }
        return before.changedNanos() == after.changedNanos()
                || before.fullMode() != after.fullMode()
                || before.uid() != after.uid()
                || before.gid() != after.gid()
                || before.links() != after.links();
    }

    boolean isSameContent() {
        return this == NONE || this == ATTRIBUTES;
    }
}
