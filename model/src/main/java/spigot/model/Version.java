package spigot.model;

/**
 * The version of an object's content: the epoch of its home and the index of the commit in that epoch, in this order. What a
 * (file, version) says is right for ever, whoever serves it.
 */
public record Version(long epoch, long index) implements Comparable<Version> {
    public static final Version NONE = new Version(0, 0);

    public Version next() {
        return new Version(epoch, index + 1);
    }

    @Override
    public int compareTo(Version other) {
        int c = Long.compareUnsigned(epoch, other.epoch);
        return c != 0 ? c : Long.compareUnsigned(index, other.index);
    }

    @Override
    public String toString() {
        return epoch + "." + index;
    }
}
