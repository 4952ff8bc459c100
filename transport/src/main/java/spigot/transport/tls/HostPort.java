package spigot.transport.tls;

import java.net.InetSocketAddress;

/** Where a server listens, as people write it: {@code HOST:PORT}, {@code [2001:db8::1]:7440}. Resolved at each use. */
record HostPort(String host, int port) {
    private static final int MAX_PORT = 65535;

    /** @throws IllegalArgumentException when it is not HOST:PORT */
    static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = colon < 0 ? 0 : portOf(text.substring(colon + 1));
        if (host.isEmpty() || port <= 0 || port > MAX_PORT) {
            throw new IllegalArgumentException("an address is HOST:PORT, not '" + text + "'");
        }
        return new HostPort(host, port);
    }

    private static int portOf(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    InetSocketAddress resolve() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
