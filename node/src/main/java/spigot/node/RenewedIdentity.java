package spigot.node;

import java.util.function.Supplier;
import spigot.transport.identity.Identity;
import spigot.transport.identity.IdentityRenewer;

/**
 * The identity of a process from its first moment on, when what renews it is not there yet: the renewer needs a link, and the link an
 * identity. Safe for any thread.
 */
public final class RenewedIdentity implements Supplier<Identity> {
    private volatile Supplier<Identity> source;

    public RenewedIdentity(Identity first) {
        this.source = () -> first;
    }

    public void renewWith(IdentityRenewer renewer) {
        source = renewer;
    }

    @Override
    public Identity get() {
        return source.get();
    }
}
