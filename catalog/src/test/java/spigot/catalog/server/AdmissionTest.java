package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import spigot.catalog.server.state.AddToken;
import spigot.catalog.server.state.Outcome;
import spigot.catalog.server.state.UseToken;
import spigot.model.NodeId;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;

class AdmissionTest {
    private static final ByteString ID = ByteString.copyFromUtf8("0123456789abcdef");
    private static final ByteString SECRET = ByteString.copyFromUtf8("hash of the secret");

    private final MemoryCatalogLog log = new MemoryCatalogLog();
    private final GridTree tree = new GridTree(log);

    @BeforeEach
    void addToken() throws Exception {
        tree.begin();
        add(ID, 1_000_000_000L + 60_000_000_000L, 1_000_000_000L);
    }

    private void add(ByteString id, long expires, long now) throws Exception {
        tree.propose(tree.command(NodeId.NONE)
                .setTimeNanos(now)
                .setAddToken(AddToken.newBuilder()
                        .setId(id)
                        .setSecretSha256(SECRET)
                        .setRole("NODE")
                        .setExpiresNanos(expires))
                .build());
    }

    private Outcome use(ByteString id, ByteString secret, String request, long node, long now) throws Exception {
        return tree.propose(tree.command(NodeId.NONE)
                .setTimeNanos(now)
                .setUseToken(UseToken.newBuilder()
                        .setId(id)
                        .setSecretSha256(secret)
                        .setRequestSha256(ByteString.copyFromUtf8(request))
                        .setNode(Messages.bytes(new NodeId(node, node))))
                .build());
    }

    @Test
    void aTokenLetsInOneProcess() throws Exception {
        assertThat(use(ID, SECRET, "first", 1, 2_000_000_000L).hasToken()).isTrue();
        assertThat(use(ID, SECRET, "second", 2, 2_000_000_000L).getFailure().getCode())
                .isEqualTo(Failure.Code.BAD_TOKEN);
    }

    @Test
    void whoseAnswerWasLostGetsTheSameAgain() throws Exception {
        Outcome first = use(ID, SECRET, "first", 1, 2_000_000_000L);
        Outcome again = use(ID, SECRET, "first", 2, 2_000_000_000L);
        assertThat(again.getToken().getNode()).isEqualTo(first.getToken().getNode());
    }

    @Test
    void aWrongSecretOrAnUnknownTokenIsRefused() throws Exception {
        assertThat(use(ID, ByteString.copyFromUtf8("other"), "x", 1, 2_000_000_000L)
                        .getFailure()
                        .getCode())
                .isEqualTo(Failure.Code.BAD_TOKEN);
        assertThat(use(ByteString.copyFromUtf8("unknown"), SECRET, "x", 1, 2_000_000_000L)
                        .getFailure()
                        .getCode())
                .isEqualTo(Failure.Code.BAD_TOKEN);
        assertThat(use(ID, SECRET, "x", 1, 2_000_000_000L).hasToken()).isTrue();
    }

    @Test
    void anExpiredTokenIsRefusedAndForgottenLater() throws Exception {
        assertThat(use(ID, SECRET, "x", 1, 100_000_000_000L).getFailure().getMessage())
                .contains("expired");
        add(ByteString.copyFromUtf8("another token..."), 300_000_000_000L, 200_000_000_000L);
        try (View view = log.read()) {
            assertThat(view.get(Table.TOKENS, ID.toByteArray())).isNull();
        }
    }
}
