package spigot.replica.commit;

/**
 * A range that a commit has changed.
 *
 * @param data whether the record has its bytes; else they are zeros
 */
record Change(long offset, long length, boolean data) {
    /** The end of a cut: all that was ever there. */
    static final long EVERYTHING = Long.MAX_VALUE;

    long end() {
        return offset + length;
    }

    static Change zerosFrom(long offset) {
        return new Change(offset, EVERYTHING - offset, false);
    }
}
