package spigot.session;

/** While it is open nobody holds a lease on its objects, and whoever asks for one waits. Close it when the change is visible. */
@FunctionalInterface
public interface Recall extends AutoCloseable {
    @Override
    void close();
}
