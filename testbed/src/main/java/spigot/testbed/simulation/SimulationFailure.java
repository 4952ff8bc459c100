package spigot.testbed.simulation;

/** Something that must not happen happened. */
public final class SimulationFailure extends AssertionError {
    private static final long serialVersionUID = 1L;

    SimulationFailure(String message, Throwable cause) {
        super(message, cause);
    }

    SimulationFailure(String message) {
        super(message);
    }
}
