package spigot.session;

/** Milliseconds since some moment, which never go back and go on while the machine is suspended. Safe for any thread. */
@FunctionalInterface
public interface BootClock {
    long millis();
}
