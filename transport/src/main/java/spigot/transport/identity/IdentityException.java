package spigot.transport.identity;

import java.security.cert.CertificateException;

/** A certificate does not prove what it should: foreign grid, expired, not of the expected role. The message says which. */
public class IdentityException extends CertificateException {
    private static final long serialVersionUID = 1L;

    public IdentityException(String message) {
        super(message);
    }

    public IdentityException(String message, Throwable cause) {
        super(message, cause);
    }
}
