package spigot.cache;

import java.io.IOException;

/** The cache directory can't be used: in use by another process, not writable, or full. The message says which and what to do. */
public class CacheDirectoryException extends IOException {
    private static final long serialVersionUID = 1L;

    public CacheDirectoryException(String message) {
        super(message);
    }

    public CacheDirectoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
