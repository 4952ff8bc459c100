package spigot.transport.identity;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** Keys and certificates as they are made here: ECDSA on P-256 with SHA-256, and nothing else. Stateless. */
final class Certificates {
    static final String SIGNATURE = "SHA256withECDSA";

    private static final int SERIAL_BITS = 127;
    private static final SecureRandom RANDOM = new SecureRandom();

    private Certificates() {}

    /** What a certificate says; {@code uri} is empty for one that names nobody. */
    record Content(X500Name issuer, X500Name subject, String uri, Instant from, Instant until, boolean authority) {}

    static KeyPair newKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no elliptic curve P-256", e);
        }
    }

    static X500Name distinguishedName(String commonName, String organization) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, organization)
                .addRDN(BCStyle.CN, commonName)
                .build();
    }

    static X509Certificate sign(Content content, PublicKey subjectKey, PrivateKey issuerKey)
            throws CertificateException {
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    content.issuer(),
                    new BigInteger(SERIAL_BITS, RANDOM),
                    Date.from(content.from()),
                    Date.from(content.until()),
                    content.subject(),
                    SubjectPublicKeyInfo.getInstance(subjectKey.getEncoded()));
            if (content.authority()) {
                critical(builder, Extension.basicConstraints, new BasicConstraints(0));
                critical(builder, Extension.keyUsage, new KeyUsage(KeyUsage.keyCertSign));
            } else {
                critical(builder, Extension.basicConstraints, new BasicConstraints(false));
                critical(builder, Extension.keyUsage, new KeyUsage(KeyUsage.digitalSignature));
                builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                    KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth
                }));
            }
            if (!content.uri().isEmpty()) {
                GeneralName name = new GeneralName(GeneralName.uniformResourceIdentifier, content.uri());
                builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(name));
            }
            return parse(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(issuerKey))
                    .getEncoded());
        } catch (OperatorCreationException | IOException e) {
            throw new CertificateException("the certificate for " + content.subject() + " could not be signed", e);
        }
    }

    private static void critical(
            X509v3CertificateBuilder builder, org.bouncycastle.asn1.ASN1ObjectIdentifier id, ASN1Encodable value)
            throws CertIOException {
        builder.addExtension(id, true, value);
    }

    /** PKCS #10 (RFC 2986), DER. What it names is not looked at by the authority: only the key counts. */
    static byte[] request(KeyPair keys, String name) {
        try {
            return new JcaPKCS10CertificationRequestBuilder(distinguishedName(name, "spigot"), keys.getPublic())
                    .build(new JcaContentSignerBuilder(SIGNATURE).build(keys.getPrivate()))
                    .getEncoded();
        } catch (OperatorCreationException | IOException e) {
            throw new IllegalStateException("a certificate request could not be encoded", e);
        }
    }

    static X509Certificate parse(byte[] der) throws CertificateException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    static PrivateKey parseKey(byte[] pkcs8) throws GeneralSecurityException {
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a certificate that was decoded has an encoding", e);
        }
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
