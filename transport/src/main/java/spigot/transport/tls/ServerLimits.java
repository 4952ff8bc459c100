package spigot.transport.tls;

/**
 * What a server takes from the network before it knows who is there. Beyond a bound a connection is closed at once.
 *
 * @param handshakes connections at a time that are not authenticated yet
 * @param handshakesPerAddress of them, from one address
 * @param connections connections at a time
 * @param connectionsPerAddress of them, from one address
 */
public record ServerLimits(int handshakes, int handshakesPerAddress, int connections, int connectionsPerAddress) {
    public static final ServerLimits DEFAULT = new ServerLimits(128, 64, 8192, 2048);

    public ServerLimits {
        if (handshakes <= 0 || handshakesPerAddress <= 0 || connections <= 0 || connectionsPerAddress <= 0) {
            throw new IllegalArgumentException("the limits of a server are positive");
        }
    }
}
