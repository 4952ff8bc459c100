package spigot.transport.identity;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Failure;
import spigot.transport.wire.JoinReply;

/**
 * The certificate authority of one grid, kept by the server that carries the catalog. The grid's id is part of its
 * certificate. On disk one file {@value #FILE} that only its owner may read. Safe for any thread.
 */
public final class GridAuthority {
    /** How long a certificate of a node lasts unless told otherwise. */
    public static final Duration DEFAULT_VALIDITY = Duration.ofDays(30);

    /** By how much the clocks of two nodes may differ when a certificate is used at once. */
    static final Duration CLOCK_SKEW = Duration.ofMinutes(10);

    private static final String FILE = "authority.pem";
    private static final Duration AUTHORITY_VALIDITY = Duration.ofDays(50 * 365);
    private static final int MAX_REQUEST_BYTES = 8 << 10;

    private final PrivateKey key;
    private final X509Certificate certificate;
    private final String grid;
    private final Duration validity;
    private final Clock clock;

    private GridAuthority(PrivateKey key, X509Certificate certificate, Duration validity, Clock clock)
            throws IdentityException {
        this.key = key;
        this.certificate = certificate;
        this.grid = CertificateChains.gridOf(certificate);
        this.validity = validity;
        this.clock = clock;
    }

    /**
     * Makes a new grid.
     *
     * @param grid its 128-bit id, chosen at random
     * @param validity of the certificates it will sign
     * @throws IOException when the directory already has an authority, or can't be written
     */
    public static GridAuthority create(Path directory, NodeId grid, Duration validity, Clock clock) throws IOException {
        if (exists(directory)) {
            throw new IOException(directory + " already has the authority of a grid");
        }
        KeyPair keys = Certificates.newKeys();
        try {
            X500Name name = Certificates.distinguishedName(grid.toString(), "spigot");
            Instant from = clock.instant().minus(CLOCK_SKEW);
            X509Certificate certificate = Certificates.sign(
                    new Certificates.Content(name, name, "", from, from.plus(AUTHORITY_VALIDITY), true),
                    keys.getPublic(),
                    keys.getPrivate());
            Pem.write(
                    directory.resolve(FILE),
                    List.of(
                            new Pem.Block(Pem.KEY, keys.getPrivate().getEncoded()),
                            new Pem.Block(Pem.CERTIFICATE, Certificates.encoded(certificate))));
            return new GridAuthority(keys.getPrivate(), certificate, validity, clock);
        } catch (CertificateException e) {
            throw new IOException("the authority of a new grid could not be made in " + directory, e);
        }
    }

    public static boolean exists(Path directory) {
        return Files.exists(directory.resolve(FILE));
    }

    /** @throws IOException when there is none, or it is damaged */
    public static GridAuthority open(Path directory, Duration validity, Clock clock) throws IOException {
        Path file = directory.resolve(FILE);
        PrivateKey key = null;
        X509Certificate certificate = null;
        try {
            for (Pem.Block block : Pem.read(file)) {
                switch (block.label()) {
                    case Pem.KEY -> key = Certificates.parseKey(block.der());
                    case Pem.CERTIFICATE -> certificate = Certificates.parse(block.der());
                    default -> throw new IOException(file + " has an unknown part " + block.label());
                }
            }
            if (key == null || certificate == null) {
                throw new IOException(file + " is damaged: it has no key or no certificate");
            }
            return new GridAuthority(key, certificate, validity, clock);
        } catch (GeneralSecurityException e) {
            throw new IOException(file + " is damaged: " + e.getMessage(), e);
        }
    }

    /** The grid's 128-bit id as 32 hexadecimal digits, as in {@link PeerIdentity#grid}. */
    public String grid() {
        return grid;
    }

    /** The grid's id as 16 bytes, as in JoinReply and GridReply. */
    public ByteString gridBytes() {
        return ByteString.copyFrom(HexFormat.of().parseHex(grid));
    }

    public X509Certificate certificate() {
        return certificate;
    }

    /** What a join token pins. */
    public RawBytes certificateSha256() {
        return RawBytes.copyOf(Certificates.sha256(Certificates.encoded(certificate)));
    }

    /**
     * An identity made here, key and all: for the server that founds the grid.
     *
     * @throws IllegalArgumentException when the name or the site can't be in a certificate
     */
    public Identity issue(NodeId id, PeerIdentity.Role role, String name, String site) throws CertificateException {
        KeyPair keys = Certificates.newKeys();
        X509Certificate leaf = leaf(keys.getPublic(), new PeerIdentity(id, role, name, site, grid));
        return Identity.of(keys.getPrivate(), List.of(leaf, certificate));
    }

    /**
     * Signs a joiner's request, after its token was found good.
     *
     * @param certificateRequest PKCS #10, DER; only its key is used
     * @throws FailureException BAD_REQUEST when the request is not one, or name or site can't be in a certificate
     */
    public JoinReply sign(ByteString certificateRequest, NodeId id, PeerIdentity.Role role, String name, String site)
            throws FailureException {
        return sign(certificateRequest, new PeerIdentity(id, role, name, site, grid));
    }

    /** Answers RenewCertificate: the same identity with a new key and a new term. */
    public JoinReply renew(ByteString certificateRequest, PeerIdentity peer) throws FailureException {
        if (peer.role() == PeerIdentity.Role.JOINER || !peer.grid().equals(grid)) {
            throw new FailureException(Failure.Code.DENIED, "only members of the grid renew certificates");
        }
        return sign(certificateRequest, peer);
    }

    private JoinReply sign(ByteString certificateRequest, PeerIdentity identity) throws FailureException {
        try {
            X509Certificate leaf = leaf(requestedKey(certificateRequest), identity);
            List<ByteString> chain = new ArrayList<>();
            chain.add(ByteString.copyFrom(Certificates.encoded(leaf)));
            chain.add(ByteString.copyFrom(Certificates.encoded(certificate)));
            return JoinReply.newBuilder()
                    .addAllChain(chain)
                    .setGrid(gridBytes())
                    .build();
        } catch (CertificateException | IllegalArgumentException e) {
            throw refused("the certificate can't be made: " + e.getMessage(), e);
        }
    }

    private X509Certificate leaf(PublicKey subjectKey, PeerIdentity identity) throws CertificateException {
        IdentityUri.checkName(identity.name());
        IdentityUri.checkSite(identity.site());
        Instant now = clock.instant();
        // A short term begins now, so that two thirds of it are still ahead; a long one forgives clocks that differ.
        Instant from = validity.compareTo(CLOCK_SKEW.multipliedBy(2)) > 0 ? now.minus(CLOCK_SKEW) : now.minusSeconds(1);
        return Certificates.sign(
                new Certificates.Content(
                        Certificates.distinguishedName(grid, "spigot"),
                        Certificates.distinguishedName(identity.name(), "spigot"),
                        IdentityUri.format(identity),
                        from,
                        now.plus(validity),
                        false),
                subjectKey,
                key);
    }

    private static PublicKey requestedKey(ByteString certificateRequest) throws FailureException {
        if (certificateRequest.size() > MAX_REQUEST_BYTES) {
            throw refused("the certificate request has more than " + MAX_REQUEST_BYTES + " bytes", null);
        }
        try {
            var request = new JcaPKCS10CertificationRequest(certificateRequest.toByteArray());
            PublicKey key = request.getPublicKey();
            if (!(key instanceof java.security.interfaces.ECPublicKey ec)
                    || ec.getParams().getCurve().getField().getFieldSize() != 256) {
                throw refused("the key of the certificate request is not on the curve P-256", null);
            }
            if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
                throw refused("the certificate request is not signed by its own key", null);
            }
            return key;
        } catch (FailureException e) {
            throw e;
        } catch (IOException
                | GeneralSecurityException
                | OperatorCreationException
                | PKCSException
                | RuntimeException e) {
            // Bouncy Castle answers malformed requests with unchecked exceptions as well, of several kinds.
            throw refused("the certificate request can't be read", e);
        }
    }

    private static FailureException refused(String message, @org.jspecify.annotations.Nullable Throwable cause) {
        FailureException failure = new FailureException(Failure.Code.BAD_REQUEST, message);
        if (cause != null) {
            failure.initCause(cause);
        }
        return failure;
    }
}
