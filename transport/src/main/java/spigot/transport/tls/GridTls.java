package spigot.transport.tls;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import spigot.transport.PeerIdentity;
import spigot.transport.identity.IdentityException;

/**
 * TLS as the grid uses it: version 1.3, both sides with a certificate, nothing else can be chosen. Host names play no part:
 * who a peer is, its certificate says. Stateless.
 */
final class GridTls {
    private static final String PROTOCOL = "TLSv1.3";
    /** The first is the fastest in Java and strong enough; the second is what every TLS 1.3 peer may also offer. */
    private static final String[] CIPHER_SUITES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};

    /** Sessions that are kept for resumption; Java's default would keep 20480 with their certificates. */
    private static final int MAX_SESSIONS = 256;

    private static final String ALIAS = "spigot";

    private GridTls() {}

    /** Decides who a server is, for the side that connects. */
    interface ServerTrust {
        /** @throws IdentityException when it is not one to talk to, with the reason */
        PeerIdentity verify(List<X509Certificate> chain, Instant now) throws IdentityException;
    }

    /**
     * For the side that connects: a server that is not trusted is left within the handshake, before it learns who we are.
     *
     * @param chain what this side shows, leaf first
     */
    static SSLContext client(PrivateKey key, List<X509Certificate> chain, ServerTrust trust) {
        return context(new OneKey(key, chain), new JudgeServer(trust));
    }

    /**
     * For the side that accepts. Every certificate passes the handshake, which proves that the peer has its key; who that is,
     * and whether it may come in, is decided right behind it, so that a refusal can say why.
     */
    static SSLContext server(PrivateKey key, List<X509Certificate> chain) {
        return context(new OneKey(key, chain), new JudgeLater());
    }

    private static SSLContext context(KeyManager key, TrustManager trust) {
        try {
            SSLContext context = SSLContext.getInstance(PROTOCOL);
            context.init(new KeyManager[] {key}, new TrustManager[] {trust}, null);
            context.getServerSessionContext().setSessionCacheSize(MAX_SESSIONS);
            context.getClientSessionContext().setSessionCacheSize(MAX_SESSIONS);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + PROTOCOL, e);
        }
    }

    static SSLParameters parameters() {
        SSLParameters parameters = new SSLParameters(CIPHER_SUITES.clone(), new String[] {PROTOCOL});
        parameters.setNeedClientAuth(true);
        return parameters;
    }

    /** What the peer has shown, leaf first. */
    static List<X509Certificate> peerChain(SSLSession session) throws SSLPeerUnverifiedException {
        List<X509Certificate> chain = new ArrayList<>();
        for (var certificate : session.getPeerCertificates()) {
            chain.add((X509Certificate) certificate);
        }
        return chain;
    }

    private static final class JudgeServer extends X509ExtendedTrustManager {
        private final ServerTrust trust;

        JudgeServer(ServerTrust trust) {
            this.trust = trust;
        }

        private void check(X509Certificate[] chain) throws CertificateException {
            trust.verify(List.of(chain), Instant.now());
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            throw new CertificateException("this side connects and accepts nobody");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("this side connects and accepts nobody");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("this side connects and accepts nobody");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    private static final class JudgeLater extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            throw new CertificateException("this side accepts and connects to nobody");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("this side accepts and connects to nobody");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("this side accepts and connects to nobody");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** Shows the same certificate whatever is asked for. */
    private static final class OneKey extends X509ExtendedKeyManager {
        private final PrivateKey key;
        private final X509Certificate[] chain;

        OneKey(PrivateKey key, List<X509Certificate> chain) {
            this.key = key;
            this.chain = chain.toArray(new X509Certificate[0]);
        }

        @Override
        public String[] getClientAliases(String type, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public String[] getServerAliases(String type, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseServerAlias(String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return chain.clone();
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return key;
        }
    }
}
