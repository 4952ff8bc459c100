package spigot.node;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** HOST:PORT as a user writes it; an IPv6 address stands in brackets. */
public record Address(String host, int port) {
    private static final int MAX_PORT = 65535;

    public Address {
        if (host.isBlank()) {
            throw new IllegalArgumentException("an address is HOST:PORT: the host is missing");
        }
        if (port < 0 || port > MAX_PORT) {
            throw new IllegalArgumentException("a port is from 0 to 65535, not " + port);
        }
    }

    /** @throws IllegalArgumentException when it is not HOST:PORT */
    public static Address parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon <= 0 || colon == text.length() - 1) {
            throw new IllegalArgumentException("an address is HOST:PORT, such as 127.0.0.1:7440, not '" + text + "'");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("write an IPv6 address in brackets: [" + host + "]:PORT");
        }
        try {
            return new Address(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the port in '" + text + "' is no number", e);
        }
    }

    public Address withPort(int newPort) {
        return new Address(host, newPort);
    }

    /** @throws NodeException when the name is not known */
    public InetSocketAddress resolve() throws NodeException {
        try {
            return new InetSocketAddress(InetAddress.getByName(host), port);
        } catch (UnknownHostException e) {
            throw new NodeException("the host name '" + host + "' is not known", e);
        }
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
