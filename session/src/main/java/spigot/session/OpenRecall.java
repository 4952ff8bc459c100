package spigot.session;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import spigot.coherence.GrantorAction;

/** Ends once, in one of two ways, however often it is closed. */
final class OpenRecall implements ActorRecall {
    private final AtomicBoolean open = new AtomicBoolean(true);
    private final Function<Runnable, Optional<GrantorAction.OwnChange>> visible;
    private final Runnable finish;

    OpenRecall(Function<Runnable, Optional<GrantorAction.OwnChange>> visible, Runnable finish) {
        this.visible = visible;
        this.finish = finish;
    }

    @Override
    public Optional<GrantorAction.OwnChange> visible(Runnable finished) {
        if (!open.compareAndSet(true, false)) {
            throw new IllegalStateException("the change has ended already");
        }
        return visible.apply(finished);
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            finish.run();
        }
    }
}
