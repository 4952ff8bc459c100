package spigot.testbed.simulation;

import java.util.function.LongSupplier;
import spigot.coherence.Grantor;
import spigot.coherence.GrantorConfig;
import spigot.coherence.Holder;
import spigot.coherence.HolderConfig;

/** Makes the machines that are simulated, so that a test can take a guard out of them. */
public interface Machines {
    /** As they are in production. */
    Machines PRODUCTION = new Machines() {
        @Override
        public Grantor grantor(GrantorConfig config, long epoch, boolean formerLife, long nowMillis) {
            return new Grantor(config, epoch, formerLife, nowMillis);
        }

        @Override
        public Holder holder(HolderConfig config, LongSupplier nonces, long nowMillis) {
            return new Holder(config, nonces, nowMillis);
        }
    };

    Grantor grantor(GrantorConfig config, long epoch, boolean formerLife, long nowMillis);

    Holder holder(HolderConfig config, LongSupplier nonces, long nowMillis);
}
