package spigot.transport.identity;

import com.google.protobuf.ByteString;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import spigot.transport.wire.JoinReply;

/** A new key that waits for its certificate: when a process joins a grid, and each time that it renews. */
public final class IdentityRequest {
    private static final int MAX_CHAIN = 2;

    private final KeyPair keys = Certificates.newKeys();

    /** PKCS #10, DER. */
    public ByteString certificateRequest() {
        return ByteString.copyFrom(Certificates.request(keys, "spigot node"));
    }

    /**
     * The identity that the answer makes of the key.
     *
     * @throws CertificateException when the certificate is not for this key, not by that authority or not valid now
     */
    public Identity accept(JoinReply reply, X509Certificate authority, Instant now) throws CertificateException {
        if (reply.getChainCount() != MAX_CHAIN) {
            throw new IdentityException("the grid answered with " + reply.getChainCount() + " certificates, not 2");
        }
        List<X509Certificate> chain = new ArrayList<>();
        for (ByteString der : reply.getChainList()) {
            chain.add(Certificates.parse(der.toByteArray()));
        }
        if (!chain.getLast().equals(authority)) {
            throw new IdentityException("certificate of a foreign grid: the answer names another authority");
        }
        CertificateChains.verify(chain, authority, now);
        if (!chain.getFirst().getPublicKey().equals(keys.getPublic())) {
            throw new IdentityException("the grid answered with a certificate for another key");
        }
        return Identity.of(keys.getPrivate(), chain);
    }

    /** A short-lived certificate that the key signs itself: what a joiner shows in its first handshake. */
    public X509Certificate selfSigned(Instant now) throws CertificateException {
        var name = Certificates.distinguishedName("joiner", "spigot");
        Certificates.Content content = new Certificates.Content(
                name, name, "", now.minus(GridAuthority.CLOCK_SKEW), now.plus(GridAuthority.CLOCK_SKEW), false);
        return Certificates.sign(content, keys.getPublic(), keys.getPrivate());
    }

    public java.security.PrivateKey key() {
        return keys.getPrivate();
    }
}
