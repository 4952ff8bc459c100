package spigot.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * Method handles on functions of the C library. Each takes a segment for errno first, as the JVM itself may change errno between the call and the
 * next one. Never {@code Linker.Option.critical}: a blocked call would stop garbage collection.
 */
final class Downcall {
    /** What a handle's first argument must have room for: a struct whose first field is errno. */
    static final StructLayout STATE_LAYOUT = Linker.Option.captureStateLayout();

    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    private Downcall() {}

    static MethodHandle of(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(function(name), FunctionDescriptor.of(result, arguments), ERRNO);
    }

    /** @param named how many arguments stand before the {@code ...} of the C declaration */
    static MethodHandle variadic(String name, int named, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                function(name), FunctionDescriptor.of(result, arguments), ERRNO, Linker.Option.firstVariadicArg(named));
    }

    /** For the checked {@code Throwable} of method handles, which a downcall never throws. */
    static RuntimeException impossible(Throwable failure) {
        switch (failure) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("a downcall threw", failure);
        }
    }

    private static MemorySegment function(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsupportedOperationException("the C library has no function " + name));
    }
}
