package spigot.session;

/** Milliseconds since some moment, which never go back and go on while the machine is suspended. Safe for any thread. */
@FunctionalInterface
public interface BootClock {
    long millis();

    /** CLOCK_BOOTTIME, see clock_gettime(2): a lease must also run out in a machine that sleeps. */
    static BootClock system() {
        return LinuxBootClock.INSTANCE;
    }
}
