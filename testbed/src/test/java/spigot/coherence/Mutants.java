package spigot.coherence;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import spigot.testbed.simulation.Machines;

/** The machines with one guard taken out; in this package because production must not be able to. */
public final class Mutants {
    private Mutants() {}

    public static List<String> guards() {
        return Arrays.stream(Guard.values()).map(Guard::name).toList();
    }

    public static Machines without(String guard) {
        Set<Guard> guards = EnumSet.complementOf(EnumSet.of(Guard.valueOf(guard)));
        return new Machines() {
            @Override
            public Grantor grantor(GrantorConfig config, long epoch, boolean formerLife, long nowMillis) {
                return new Grantor(config, epoch, formerLife, nowMillis, guards);
            }

            @Override
            public Holder holder(HolderConfig config, LongSupplier nonces, long nowMillis) {
                return new Holder(config, nonces, nowMillis, guards);
            }
        };
    }
}
