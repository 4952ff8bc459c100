package spigot.replica;

/** Where a publication stands. */
public enum PublicationState {
    /** Remembered, not looked at yet since the server started. */
    STARTING,
    /** The tree is being compared with the index, differences registered; what is registered is served already. */
    SCANNING,
    /** All is registered; changes are watched for. */
    SERVING,
    /** The source is not there: its files stay in the catalog, but can't be read. Looked for again every few seconds. */
    MISSING,
    /** The catalog refused it, or registering failed; the detail says why. Tried again, unless refused. */
    FAILED
}
