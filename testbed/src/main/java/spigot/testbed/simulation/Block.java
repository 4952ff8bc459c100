package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.List;
import spigot.coherence.token.Range;
import spigot.model.FileId;

/** One block of one of the simulated files, or its attributes, which are read and written like a block. */
record Block(int file, int number) {
    static final int FILES = 2;
    static final int BLOCKS = 8;

    /** The number of the attributes. */
    static final int ATTRIBUTES = BLOCKS;

    static FileId id(int file) {
        return new FileId(7, file);
    }

    FileId id() {
        return id(file);
    }

    Range range() {
        return number == ATTRIBUTES ? Range.ATTRIBUTES : Range.block(number);
    }

    long offset() {
        return range().from();
    }

    /** Those of the file in this range. */
    static List<Block> of(FileId id, Range range) {
        List<Block> blocks = new ArrayList<>();
        for (int number = 0; number <= ATTRIBUTES; number++) {
            Block block = new Block((int) id.low(), number);
            if (range.contains(block.range())) {
                blocks.add(block);
            }
        }
        return blocks;
    }
}
