package spigot.linux;

import java.util.concurrent.atomic.AtomicInteger;

/** An open file descriptor and the duty to close it. Safe for any thread; whoever closes it makes sure that nobody uses it any more. */
public final class Descriptor implements AutoCloseable {
    private static final int CLOSED = -1;

    private final AtomicInteger number;

    /** @param number an open descriptor, which belongs to this object from now on */
    public Descriptor(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("not a descriptor: " + number);
        }
        this.number = new AtomicInteger(number);
    }

    /** @throws IllegalStateException when it is closed */
    public int number() {
        int current = number.get();
        if (current == CLOSED) {
            throw new IllegalStateException("the descriptor is closed");
        }
        return current;
    }

    public boolean isOpen() {
        return number.get() != CLOSED;
    }

    /** A path of this process that leads to what is open, even where that has no name any more. */
    public String procPath() {
        return "/proc/self/fd/" + number();
    }

    /** Idempotent. An error of close(2) on a file that was only read tells nothing that could be acted on. */
    @Override
    public void close() {
        int open = number.getAndSet(CLOSED);
        if (open != CLOSED) {
            Libc.close(open);
        }
    }
}
