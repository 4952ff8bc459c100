package spigot.linux;

import java.lang.invoke.MethodHandles;
import java.util.List;

/**
 * Binding the functions of the C library takes a fifth of a second in a new process, as each needs code of its own. A program that will use them may
 * do it beforehand, beside its other work.
 */
public final class Binding {
    /** In the order in which a mount needs them. */
    private static final List<Class<?>> BOUND = List.of(Libc.class, Processes.class);

    private Binding() {}

    /** Returns when it is done. From any thread; who needs a function meanwhile waits for it. */
    public static void bind() {
        MethodHandles.Lookup here = MethodHandles.lookup();
        for (Class<?> type : BOUND) {
            try {
                here.ensureInitialized(type);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException("a class of this package can't be initialized", e);
            }
        }
    }
}
