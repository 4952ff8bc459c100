package spigot.transport.identity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import spigot.transport.PeerIdentity;

/**
 * What a process proves who it is with: its private key, its certificate and the grid's CA. Immutable; a renewed certificate
 * makes another one. On disk one file {@value #FILE} that only its owner may read, replaced atomically.
 */
public final class Identity {
    private static final String FILE = "identity.pem";

    private final PrivateKey key;
    private final List<X509Certificate> chain;
    private final PeerIdentity self;

    private Identity(PrivateKey key, List<X509Certificate> chain, PeerIdentity self) {
        this.key = key;
        this.chain = List.copyOf(chain);
        this.self = self;
    }

    /**
     * @param chain leaf first, grid CA last
     * @throws IdentityException when the chain is not of one grid; validity in time and signatures are not looked at
     */
    static Identity of(PrivateKey key, List<X509Certificate> chain) throws IdentityException {
        if (chain.size() != 2) {
            throw new IdentityException("an identity has its certificate and the grid's, not " + chain.size());
        }
        return new Identity(key, chain, CertificateChains.own(chain.getFirst(), chain.getLast()));
    }

    public static boolean exists(Path directory) {
        return Files.exists(directory.resolve(FILE));
    }

    /** @throws IOException when there is none, or it is damaged */
    public static Identity load(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        PrivateKey key = null;
        List<X509Certificate> chain = new ArrayList<>();
        try {
            for (Pem.Block block : Pem.read(file)) {
                switch (block.label()) {
                    case Pem.KEY -> key = Certificates.parseKey(block.der());
                    case Pem.CERTIFICATE -> chain.add(Certificates.parse(block.der()));
                    default -> throw new IOException(file + " has an unknown part " + block.label());
                }
            }
            if (key == null) {
                throw new IOException(file + " is damaged: there is no private key in it");
            }
            return of(key, chain);
        } catch (GeneralSecurityException e) {
            throw new IOException(file + " is damaged: " + e.getMessage(), e);
        }
    }

    /** Replaces what is there; durable when it returns. */
    public void store(Path directory) throws IOException {
        List<Pem.Block> blocks = new ArrayList<>();
        blocks.add(new Pem.Block(Pem.KEY, key.getEncoded()));
        for (X509Certificate certificate : chain) {
            blocks.add(new Pem.Block(Pem.CERTIFICATE, Certificates.encoded(certificate)));
        }
        Pem.write(directory.resolve(FILE), blocks);
    }

    /** As its peers see it. */
    public PeerIdentity self() {
        return self;
    }

    public PrivateKey key() {
        return key;
    }

    /** Leaf first, grid CA last. */
    public List<X509Certificate> chain() {
        return chain;
    }

    public X509Certificate authority() {
        return chain.getLast();
    }

    public Instant expires() {
        return chain.getFirst().getNotAfter().toInstant();
    }

    /** When it is due to be renewed: after two thirds of its validity. */
    public Instant renewAt() {
        Instant from = chain.getFirst().getNotBefore().toInstant();
        return from.plus(Duration.between(from, expires()).multipliedBy(2).dividedBy(3));
    }

    /** @throws IdentityException when it has expired: nobody would talk to it */
    public void requireValid(Instant now) throws IdentityException {
        if (now.isAfter(expires())) {
            throw new IdentityException(
                    "this node's own certificate expired on " + expires() + ": join the grid again with a new token");
        }
    }

    @Override
    public String toString() {
        return IdentityUri.format(self) + " (" + self.name() + ")";
    }
}
