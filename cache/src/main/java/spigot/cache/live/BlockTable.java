package spigot.cache.live;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import spigot.coherence.token.Range;
import spigot.model.Version;

/** The blocks of one file that are known, by number. Finding allocates nothing. Not thread-safe. */
final class BlockTable {
    /** One block. */
    static final class Block {
        final long number;

        /** A version in which it was so. */
        Version right = Version.NONE;

        /** How many of its bytes are within the file; behind them are zeros. */
        int valid;

        /** Written, and not committed as far as is known. */
        boolean dirty;

        /** Its token was lost when it was dirty: nobody may use it before it is known what has become of it. */
        boolean orphan;

        /** How often it was written. */
        long written;

        Block(long number) {
            this.number = number;
        }

        Range range() {
            return Range.block(number);
        }
    }

    private static final int FIRST_SIZE = 16;

    private @Nullable Block[] slots = new Block[FIRST_SIZE];
    private int size;

    int size() {
        return size;
    }

    @Nullable
    Block get(long number) {
        int mask = slots.length - 1;
        for (int at = hash(number) & mask; ; at = (at + 1) & mask) {
            Block found = slots[at];
            if (found == null || found.number == number) {
                return found;
            }
        }
    }

    Block make(long number) {
        Block found = get(number);
        if (found != null) {
            return found;
        }
        if (2 * size >= slots.length) {
            rebuild(slots.length * 2, slots);
        }
        Block made = new Block(number);
        put(made);
        return made;
    }

    private void put(Block block) {
        int mask = slots.length - 1;
        int at = hash(block.number) & mask;
        while (slots[at] != null) {
            at = (at + 1) & mask;
        }
        slots[at] = block;
        size++;
    }

    private void rebuild(int length, @Nullable Block[] from) {
        slots = new Block[length];
        size = 0;
        for (Block block : from) {
            if (block != null) {
                put(block);
            }
        }
    }

    /** Forgets the blocks for which it is said. Takes as long as the table is. */
    void removeIf(Predicate<Block> which) {
        @Nullable Block[] from = slots.clone();
        for (int i = 0; i < from.length; i++) {
            Block block = from[i];
            if (block != null && which.test(block)) {
                from[i] = null;
            }
        }
        rebuild(slots.length, from);
    }

    void forEach(Consumer<Block> what) {
        for (Block block : slots) {
            if (block != null) {
                what.accept(block);
            }
        }
    }

    /** Those in the range, whichever way is shorter. */
    void forEach(Range range, Consumer<Block> what) {
        long first = range.from() / Range.BLOCK;
        long end = range.to() / Range.BLOCK;
        if (end - first > slots.length) {
            forEach(block -> {
                if (block.number >= first && block.number < end) {
                    what.accept(block);
                }
            });
            return;
        }
        for (long number = first; number < end; number++) {
            Block block = get(number);
            if (block != null) {
                what.accept(block);
            }
        }
    }

    /** Those in the range, in no order. */
    List<Block> in(Range range) {
        List<Block> found = new ArrayList<>();
        forEach(range, found::add);
        return found;
    }

    private static int hash(long number) {
        long mixed = number * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32);
    }
}
