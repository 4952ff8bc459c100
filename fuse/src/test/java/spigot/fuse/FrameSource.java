package spigot.fuse;

import com.sun.management.ThreadMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import spigot.linux.Memory;

/**
 * Stands in for the kernel on its worker's own thread: each read brings the next random frame, after a look at what the last one was answered and what
 * it took from the heap. After the last one the mount has ended.
 */
final class FrameSource extends Channel {
    private static final int FIRST_UNIQUE = 1000;

    /** What one frame may take from the heap: something, and what it carries some times over (names and values as arrays, a copy for later). */
    private static final int FIXED_BYTES = 8 << 10;

    private static final int BYTES_PER_BYTE = 8;
    private static final int LOOK_AT_MEMORY_EVERY = 1000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final BufferPoolMXBean nativeMemory = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .findFirst()
            .orElseThrow();
    private final SplittableRandom random;
    private final int rounds;
    private final int maxBytes;
    private final Runnable atEnd;
    private final BitSet owed = new BitSet();
    private final BitSet mayBeAnswered = new BitSet();
    private final byte[] noise;
    private final byte[] frame;
    private final ByteBuffer fields;
    private int length;
    private int given;
    private boolean again;
    private long allocatedBefore;
    private long nativeBefore;
    private long mostNativeBytes;
    private String wrong = "";

    /** @param atEnd called when no frame is left, for answers that were put off */
    FrameSource(long seed, int rounds, int maxIoBytes, Runnable atEnd) {
        super(-1);
        this.random = new SplittableRandom(seed);
        this.rounds = rounds;
        this.maxBytes = maxIoBytes;
        this.atEnd = atEnd;
        this.noise = new byte[2 * maxBytes];
        random.nextBytes(noise);
        this.frame = new byte[maxBytes];
        this.fields = ByteBuffer.wrap(frame).order(ByteOrder.nativeOrder());
    }

    /** The first thing that was not as it must be. */
    String wrong() {
        return wrong;
    }

    int unanswered() {
        return owed.cardinality();
    }

    /** How much native memory was in use at most, beyond what was at the first frame. */
    long mostNativeBytes() {
        return mostNativeBytes;
    }

    // ---- what the worker reads

    @Override
    long read(long address, long bytes) {
        if (given == 0) {
            return init(address);
        }
        if (given > 1) {
            checkAllocation();
        }
        if (given > rounds) {
            atEnd.run();
            return 0;
        }
        if (!again) {
            next();
        }
        fields.putLong(Layout.IN_UNIQUE, unique(given));
        note();
        given++;
        if (given % LOOK_AT_MEMORY_EVERY == 0) {
            mostNativeBytes = Math.max(mostNativeBytes, nativeMemory.getMemoryUsed() - nativeBefore);
        }
        Memory.copy(frame, 0, address, length);
        allocatedBefore = threads.getCurrentThreadAllocatedBytes();
        return length;
    }

    private static long unique(int round) {
        return FIRST_UNIQUE + 2L * round;
    }

    private long init(long address) {
        given = 1;
        nativeBefore = nativeMemory.getMemoryUsed();
        Arrays.fill(frame, (byte) 0);
        int body = Layout.IN_HEADER_BYTES;
        length = body + Layout.INIT_IN_BYTES;
        fields.putInt(Layout.IN_LENGTH, length);
        fields.putInt(Layout.IN_OPCODE, Control.INIT);
        fields.putLong(Layout.IN_UNIQUE, 2);
        fields.putInt(body + Layout.INIT_IN_MAJOR, 7);
        fields.putInt(body + Layout.INIT_IN_MINOR, 38);
        fields.putInt(body + Layout.INIT_IN_READAHEAD, 131072);
        fields.putInt(body + Layout.INIT_IN_FLAGS, (int) InitFlags.STANDARD);
        fields.putInt(body + Layout.INIT_IN_FLAGS2, (int) (InitFlags.STANDARD >>> 32));
        Memory.copy(frame, 0, address, length);
        return length;
    }

    /** Whoever takes a path first pays for linking it: a frame that took too much is given once more. */
    private void checkAllocation() {
        long allocated = threads.getCurrentThreadAllocatedBytes() - allocatedBefore;
        if (allocated <= FIXED_BYTES + (long) BYTES_PER_BYTE * length) {
            again = false;
        } else if (again) {
            wrong("round " + given + ": " + allocated + " bytes allocated for a frame of " + length + ", opcode "
                    + fields.getInt(Layout.IN_OPCODE));
            again = false;
        } else {
            again = true;
        }
    }

    private void note() {
        if (length < Layout.IN_HEADER_BYTES || fields.getInt(Layout.IN_LENGTH) != length) {
            return;
        }
        switch (fields.getInt(Layout.IN_OPCODE)) {
            case Control.FORGET, Control.BATCH_FORGET, Control.NOTIFY_REPLY -> {}
            case Control.INTERRUPT -> mayBeAnswered.set(given);
            default -> owed.set(given);
        }
    }

    // ---- what it is given

    /** A third of the bodies are noise, a third zero, a third letters that end somewhere; half of them with some small number somewhere. */
    private void next() {
        int body = switch (random.nextInt(32)) {
            case 0 -> random.nextInt(maxBytes - Layout.IN_HEADER_BYTES);
            case 1, 2, 3, 4 -> random.nextInt(4000);
            default -> random.nextInt(200);
        };
        length = Layout.IN_HEADER_BYTES + body;
        switch (random.nextInt(3)) {
            case 0 -> System.arraycopy(noise, random.nextInt(maxBytes), frame, 0, length);
            case 1 -> Arrays.fill(frame, 0, length, (byte) 0);
            default -> letters();
        }
        if (random.nextBoolean()) {
            int at = Layout.IN_HEADER_BYTES + 4 * random.nextInt(16);
            if (at + 4 <= length) {
                fields.putInt(at, random.nextInt(random.nextBoolean() ? 200 : maxBytes + 4096));
            }
        }
        int opcode = random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(Opcode.COUNT + 2);
        fields.putInt(Layout.IN_LENGTH, random.nextInt(10) == 0 ? random.nextInt() : length);
        fields.putInt(Layout.IN_OPCODE, opcode);
        fields.putLong(Layout.IN_NODE, random.nextInt(5) == 0 ? random.nextLong() : random.nextInt(4));
        if (opcode == Control.INTERRUPT && random.nextBoolean() && body >= Layout.INTERRUPT_IN_BYTES) {
            fields.putLong(Layout.IN_HEADER_BYTES, unique(Math.max(1, given - random.nextInt(100))));
        }
        if (random.nextInt(10) == 0) {
            length = 1 + random.nextInt(length);
            if (random.nextBoolean() && length >= 4) {
                fields.putInt(Layout.IN_LENGTH, length);
            }
        }
    }

    private void letters() {
        Arrays.fill(frame, 0, length, (byte) 'a');
        for (int ends = random.nextInt(4); ends > 0; ends--) {
            frame[random.nextInt(length)] = 0;
        }
    }

    // ---- what it answers

    @Override
    long write(long address, long bytes) {
        answered(address, bytes);
        return bytes;
    }

    @Override
    long writev(long vectors, int count) {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += Memory.getLong(vectors + 16L * i + 8);
        }
        answered(Memory.getLong(vectors), bytes);
        return bytes;
    }

    private void answered(long header, long bytes) {
        long unique = Memory.getLong(header + Layout.OUT_UNIQUE);
        if (unique == 2) {
            return;
        }
        int error = Memory.getInt(header + Layout.OUT_ERROR);
        long round = (unique - FIRST_UNIQUE) / 2;
        if (Memory.getInt(header + Layout.OUT_LENGTH) != bytes
                || bytes > Layout.OUT_HEADER_BYTES + maxBytes
                || error > 0
                || error <= -512
                || (error != 0 && bytes != Layout.OUT_HEADER_BYTES)) {
            wrong("round " + round + " was answered by " + bytes + " bytes and error " + error);
        }
        if (round < 1 || round >= given || unique(Math.toIntExact(round)) != unique) {
            wrong("an answer to a request that was not made: " + unique);
        } else if (owed.get((int) round)) {
            owed.clear((int) round);
        } else if (mayBeAnswered.get((int) round)) {
            mayBeAnswered.clear((int) round);
        } else {
            wrong("round " + round + " was answered twice, or is not to be answered");
        }
    }

    private void wrong(String what) {
        if (wrong.isEmpty()) {
            wrong = what;
        }
    }
}
