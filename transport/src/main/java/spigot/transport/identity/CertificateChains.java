package spigot.transport.identity;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.transport.PeerIdentity;

/**
 * Decides whom a certificate chain belongs to. A chain of a grid has exactly two: the leaf and the grid's CA that signed it.
 * There is no host name in it and none is looked at: who a peer is, is its node id, and where it runs may change. Stateless.
 */
public final class CertificateChains {
    private CertificateChains() {}

    /**
     * The identity of a peer that must be of our grid.
     *
     * @param authority the grid's CA
     * @throws IdentityException when the chain is of another grid, damaged, expired or not valid yet
     */
    public static PeerIdentity verify(List<X509Certificate> chain, X509Certificate authority, Instant now)
            throws IdentityException {
        if (chain.isEmpty()) {
            throw new IdentityException("no certificate");
        }
        X509Certificate leaf = chain.getFirst();
        PeerIdentity identity = IdentityUri.read(leaf);
        String who = "certificate of " + identity.name() + " (" + identity.id() + ")";
        if (!isSignedBy(leaf, authority)) {
            throw new IdentityException("certificate of a foreign grid: " + identity.name() + " belongs to grid "
                    + identity.grid() + ", not to " + gridOf(authority)
                    + ": check the address, or join that grid with a token of it ('spigot token create')");
        }
        requireOfGrid(identity, leaf, authority);
        if (now.isAfter(leaf.getNotAfter().toInstant())) {
            throw new IdentityException(
                    who + " expired on " + leaf.getNotAfter().toInstant());
        }
        if (now.isBefore(leaf.getNotBefore().toInstant())) {
            throw new IdentityException(
                    who + " is not valid before " + leaf.getNotBefore().toInstant() + ": check the clocks");
        }
        return identity;
    }

    /**
     * Who this process itself is, by the certificate that it has stored. The signature is not looked at: the peers do that, and the first use of
     * elliptic curves in a process takes a tenth of the time of a mount.
     */
    static PeerIdentity own(X509Certificate leaf, X509Certificate authority) throws IdentityException {
        PeerIdentity identity = IdentityUri.read(leaf);
        requireOfGrid(identity, leaf, authority);
        return identity;
    }

    private static void requireOfGrid(PeerIdentity identity, X509Certificate leaf, X509Certificate authority)
            throws IdentityException {
        if (!identity.grid().equals(gridOf(authority)) || leaf.getBasicConstraints() != -1) {
            throw new IdentityException("certificate of " + identity.name() + " (" + identity.id()
                    + ") is not one that the grid's authority gives to a node");
        }
    }

    /**
     * The CA of the grid that a server belongs to, for one who only knows its digest from a join token.
     *
     * @throws IdentityException when the chain does not end in that CA
     */
    public static X509Certificate pinned(List<X509Certificate> chain, RawBytes authoritySha256)
            throws IdentityException {
        X509Certificate last = chain.getLast();
        if (!RawBytes.copyOf(Certificates.sha256(Certificates.encoded(last))).equals(authoritySha256)) {
            throw new IdentityException("certificate of a foreign grid: the server's authority is not the one that the"
                    + " join token names: check the address, or have a token made in that server's grid");
        }
        return last;
    }

    /**
     * Whether this is what a process without a certificate of a grid presents: one that it has signed itself.
     */
    public static boolean isJoiner(List<X509Certificate> chain) {
        return chain.size() == 1 && isSignedBy(chain.getFirst(), chain.getFirst());
    }

    /** The stand-in identity of a joiner: its id is made of its key and means nothing in the grid. */
    public static PeerIdentity joiner(X509Certificate certificate) {
        byte[] digest = Certificates.sha256(certificate.getPublicKey().getEncoded());
        return new PeerIdentity(NodeId.of(Arrays.copyOf(digest, 16)), PeerIdentity.Role.JOINER, "joiner", "none", "");
    }

    /** The grid id, 32 hexadecimal digits, that a CA certificate is for. */
    static String gridOf(X509Certificate authority) throws IdentityException {
        try {
            return IdentityUri.commonName(authority);
        } catch (javax.naming.InvalidNameException e) {
            throw new IdentityException("the grid's own certificate can't be read", e);
        }
    }

    private static boolean isSignedBy(X509Certificate certificate, X509Certificate issuer) {
        if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())
                || !certificate.getSigAlgName().equals(Certificates.SIGNATURE)) {
            return false;
        }
        try {
            certificate.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
