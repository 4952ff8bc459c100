package spigot.transport;

import spigot.model.NodeId;

/**
 * Who is at the other end of a link, as its certificate says.
 *
 * @param grid the 128-bit id of the grid whose CA signed the certificate, as 32 hexadecimal digits
 * @param name for people
 */
public record PeerIdentity(NodeId id, Role role, String name, String site, String grid) {
    /** What a certificate entitles to. */
    public enum Role {
        /** Has only a certificate of its own making, and may do nothing but join with a token. */
        JOINER,
        /** A computing node: may read. */
        NODE,
        /** A replica server, which may also carry the catalog. */
        SERVER
    }
}
