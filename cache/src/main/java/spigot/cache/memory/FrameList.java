package spigot.cache.memory;

/** A first-in first-out list of frames, in arrays that several lists share: a frame is in at most one. Guarded by its owner's lock. */
final class FrameList {
    private static final int NONE = -1;

    private final int[] before;
    private final int[] after;
    private int oldest = NONE;
    private int newest = NONE;
    private int size;

    FrameList(int[] before, int[] after) {
        this.before = before;
        this.after = after;
    }

    int size() {
        return size;
    }

    void add(int frame) {
        before[frame] = newest;
        after[frame] = NONE;
        if (newest == NONE) {
            oldest = frame;
        } else {
            after[newest] = frame;
        }
        newest = frame;
        size++;
    }

    /** @return -1 when the list is empty */
    int poll() {
        int frame = oldest;
        if (frame != NONE) {
            remove(frame);
        }
        return frame;
    }

    void remove(int frame) {
        int b = before[frame];
        int a = after[frame];
        if (b == NONE) {
            oldest = a;
        } else {
            after[b] = a;
        }
        if (a == NONE) {
            newest = b;
        } else {
            before[a] = b;
        }
        size--;
    }
}
