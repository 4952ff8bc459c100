package spigot.testbed.simulation;

import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import spigot.coherence.ClientId;
import spigot.coherence.token.TokenHolder;
import spigot.coherence.token.TokenHolderConfig;
import spigot.coherence.token.TokenHome;
import spigot.coherence.token.TokenHomeConfig;
import spigot.model.FileId;
import spigot.model.Version;

/** Makes the machines that are simulated, so that a test can take a guard out of them. */
public interface TokenMachines {
    /** As they are in production. */
    TokenMachines PRODUCTION = new TokenMachines() {
        @Override
        public TokenHome home(
                TokenHomeConfig config,
                long epoch,
                Map<Long, ClientId> former,
                Function<FileId, Version> lastCommitted,
                long nowMillis) {
            return new TokenHome(config, epoch, former, lastCommitted, nowMillis);
        }

        @Override
        public TokenHolder holder(TokenHolderConfig config, LongSupplier nonces, long nowMillis) {
            return new TokenHolder(config, nonces, nowMillis);
        }
    };

    TokenHome home(
            TokenHomeConfig config,
            long epoch,
            Map<Long, ClientId> former,
            Function<FileId, Version> lastCommitted,
            long nowMillis);

    TokenHolder holder(TokenHolderConfig config, LongSupplier nonces, long nowMillis);
}
