package spigot.catalog.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import spigot.catalog.server.state.AddToken;
import spigot.catalog.server.state.TokenEntry;
import spigot.catalog.server.state.UseToken;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/** The commands of join tokens. The same certificate request may use its token again: its first answer may be lost. For one thread. */
final class Admission {
    private final Transaction rows;
    private final long nowNanos;

    Admission(Transaction rows, long nowNanos) {
        this.rows = rows;
        this.nowNanos = nowNanos;
    }

    /** Stores a token, and forgets those that have expired. */
    void add(AddToken token) throws IOException {
        List<byte[]> expired = new ArrayList<>();
        rows.scan(Table.TOKENS, new byte[0], (key, value) -> {
            if (parse(value).getToken().getExpiresNanos() < nowNanos) {
                expired.add(key);
            }
            return true;
        });
        for (byte[] key : expired) {
            rows.delete(Table.TOKENS, key);
        }
        rows.put(
                Table.TOKENS,
                token.getId().toByteArray(),
                TokenEntry.newBuilder().setToken(token).build().toByteArray());
    }

    /** @return the token with the node that it lets in */
    TokenEntry use(UseToken use) throws IOException {
        byte[] key = use.getId().toByteArray();
        byte[] value = rows.get(Table.TOKENS, key);
        TokenEntry entry = value == null ? TokenEntry.getDefaultInstance() : parse(value);
        if (value == null || !entry.getToken().getSecretSha256().equals(use.getSecretSha256())) {
            throw refused("this grid has not given out that join token");
        }
        if (entry.getToken().getExpiresNanos() < nowNanos) {
            throw refused("the join token has expired: make another one");
        }
        if (entry.getUsedBy().equals(ByteString.EMPTY)) {
            TokenEntry used = entry.toBuilder()
                    .setUsedBy(use.getRequestSha256())
                    .setNode(use.getNode())
                    .build();
            rows.put(Table.TOKENS, key, used.toByteArray());
            return used;
        }
        if (!entry.getUsedBy().equals(use.getRequestSha256())) {
            throw refused("the join token has been used already: each lets in one process; make another one");
        }
        return entry;
    }

    private static TokenEntry parse(byte[] value) throws IOException {
        try {
            return TokenEntry.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's table of tokens is damaged", e);
        }
    }

    private static FailureException refused(String message) {
        return new FailureException(Failure.Code.BAD_TOKEN, message);
    }
}
