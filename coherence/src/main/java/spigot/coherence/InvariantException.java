package spigot.coherence;

/** An invariant of the protocol does not hold: a defect of this program, never the effect of what a peer sent. */
public class InvariantException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    public InvariantException(String message) {
        super(message);
    }

    /** @throws InvariantException when it does not hold */
    public static void check(boolean holds, String invariant) {
        if (!holds) {
            throw new InvariantException(invariant);
        }
    }
}
