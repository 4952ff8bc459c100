package spigot.coherence;

import spigot.model.NodeId;

/**
 * One client of a grantor, which has at most one session.
 *
 * @param node the identity in the certificate of its link
 * @param instance tells apart the mounts that share one identity; the same again after a restart, so that the new process ends the old one's session
 */
public record ClientId(NodeId node, long instance) {}
