package spigot.session;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * CLOCK_BOOTTIME by clock_gettime(2). System.nanoTime is CLOCK_MONOTONIC, which stands still in a suspended machine while the
 * grantor's clock goes on. Allocates nothing but one array per thread; safe for any thread.
 */
final class LinuxBootClock implements BootClock {
    static final LinuxBootClock INSTANCE = new LinuxBootClock();

    /** From linux/time.h. */
    private static final int CLOCK_BOOTTIME = 7;

    private static final MethodHandle CLOCK_GETTIME = clockGettime();

    /** struct timespec: seconds, nanoseconds. */
    private final ThreadLocal<Timespec> timespec = ThreadLocal.withInitial(Timespec::new);

    private static final class Timespec {
        final long[] fields = new long[2];
        final MemorySegment segment = MemorySegment.ofArray(fields);
    }

    private LinuxBootClock() {}

    @Override
    public long millis() {
        Timespec time = timespec.get();
        int result;
        try {
            result = (int) CLOCK_GETTIME.invokeExact(CLOCK_BOOTTIME, time.segment);
        } catch (Throwable e) {
            throw new IllegalStateException("clock_gettime could not be called", e);
        }
        if (result != 0) {
            throw new IllegalStateException("clock_gettime(CLOCK_BOOTTIME) failed: Linux 2.6.39 or later is needed");
        }
        return time.fields[0] * 1_000 + time.fields[1] / 1_000_000;
    }

    private static MethodHandle clockGettime() {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("clock_gettime"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS),
                Linker.Option.critical(true));
    }
}
