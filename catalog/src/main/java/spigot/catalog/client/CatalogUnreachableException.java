package spigot.catalog.client;

import java.io.IOException;

/** The catalog did not answer within the client's patience. The message names its address, the time and the last cause. */
public final class CatalogUnreachableException extends IOException {
    private static final long serialVersionUID = 1L;

    public CatalogUnreachableException(String message, Throwable cause) {
        super(message, cause);
    }
}
