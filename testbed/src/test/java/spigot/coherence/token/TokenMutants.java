package spigot.coherence.token;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import spigot.coherence.ClientId;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.testbed.simulation.TokenMachines;

/** The token machines with one guard taken out; in this package because production must not be able to. */
public final class TokenMutants {
    private TokenMutants() {}

    public static List<String> guards() {
        return Arrays.stream(TokenGuard.values()).map(TokenGuard::name).toList();
    }

    public static TokenMachines without(String guard) {
        Set<TokenGuard> guards = EnumSet.complementOf(EnumSet.of(TokenGuard.valueOf(guard)));
        return new TokenMachines() {
            @Override
            public TokenHome home(
                    TokenHomeConfig config,
                    long epoch,
                    Map<Long, ClientId> former,
                    Function<FileId, Version> lastCommitted,
                    long nowMillis) {
                return new TokenHome(config, epoch, former, lastCommitted, nowMillis, guards);
            }

            @Override
            public TokenHolder holder(TokenHolderConfig config, LongSupplier nonces, long nowMillis) {
                return new TokenHolder(config, nonces, nowMillis, guards);
            }
        };
    }
}
