package spigot.transport;

import java.io.IOException;

/** File data that arrived are not what their sender described. The message names the offset. */
public class CorruptPayloadException extends IOException {
    private static final long serialVersionUID = 1L;

    public CorruptPayloadException(String message) {
        super(message);
    }
}
