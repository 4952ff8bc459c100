package spigot.replica;

import java.util.concurrent.atomic.AtomicInteger;
import spigot.linux.Descriptor;

/**
 * A descriptor with several users, closed when the last one is done. Safe for any thread. Whoever got it from a call that says so is
 * a user and owes one {@link #close}.
 */
final class SharedDescriptor implements AutoCloseable {
    private final Descriptor descriptor;
    private final AtomicInteger users = new AtomicInteger(1);

    SharedDescriptor(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    int number() {
        return descriptor.number();
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /** @return whether there is one more user now; false when it is closed already */
    boolean retain() {
        int now = users.get();
        while (now > 0) {
            if (users.compareAndSet(now, now + 1)) {
                return true;
            }
            now = users.get();
        }
        return false;
    }

    @Override
    public void close() {
        if (users.decrementAndGet() == 0) {
            descriptor.close();
        }
    }
}
