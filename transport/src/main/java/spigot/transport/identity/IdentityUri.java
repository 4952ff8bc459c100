package spigot.transport.identity;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import spigot.model.NodeId;
import spigot.transport.PeerIdentity;

/** How a certificate says who it is for: the URI {@code spigot://GRID/ROLE/SITE/NODEID}, and the name for people as CN. */
final class IdentityUri {
    private static final int SAN_URI = 6;
    private static final Pattern URI =
            Pattern.compile("spigot://([0-9a-f]{32})/(node|server)/([A-Za-z0-9._-]{1,64})/([0-9a-f]{32})");
    private static final Pattern SITE = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final int MAX_NAME_CHARACTERS = 64;

    private IdentityUri() {}

    static String format(PeerIdentity identity) {
        return "spigot://" + identity.grid() + "/" + roleText(identity.role()) + "/" + identity.site() + "/"
                + identity.id();
    }

    static PeerIdentity read(X509Certificate certificate) throws IdentityException {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            for (List<?> name : names == null ? List.<List<?>>of() : names) {
                if (name.get(0) instanceof Integer type && type == SAN_URI && name.get(1) instanceof String text) {
                    Matcher parts = URI.matcher(text);
                    if (parts.matches()) {
                        return new PeerIdentity(
                                NodeId.parse(parts.group(4)),
                                role(parts.group(2)),
                                commonName(certificate),
                                parts.group(3),
                                parts.group(1));
                    }
                }
            }
        } catch (CertificateParsingException | InvalidNameException e) {
            throw new IdentityException("a certificate that can't be read", e);
        }
        throw new IdentityException("not a certificate of a Spigot node: "
                + certificate.getSubjectX500Principal().getName());
    }

    static String commonName(X509Certificate certificate) throws InvalidNameException {
        for (Rdn rdn : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
            if (rdn.getType().equalsIgnoreCase("CN") && rdn.getValue() instanceof String text) {
                return text;
            }
        }
        return "";
    }

    static String roleText(PeerIdentity.Role role) {
        return role.name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException for another word than node or server */
    static PeerIdentity.Role role(String text) {
        return switch (text) {
            case "node" -> PeerIdentity.Role.NODE;
            case "server" -> PeerIdentity.Role.SERVER;
            default -> throw new IllegalArgumentException("a role is 'node' or 'server', not '" + text + "'");
        };
    }

    /** @throws IllegalArgumentException when it can't be part of the URI */
    static String checkSite(String site) {
        if (!SITE.matcher(site).matches()) {
            throw new IllegalArgumentException(
                    "a site is 1 to 64 letters, digits, '.', '_' or '-', not '" + site + "'");
        }
        return site;
    }

    /** @throws IllegalArgumentException when it is empty, too long or has control characters */
    static String checkName(String name) {
        if (name.isBlank()
                || name.length() > MAX_NAME_CHARACTERS
                || name.codePoints().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("a name is 1 to 64 printable characters, not '" + name + "'");
        }
        return name;
    }
}
