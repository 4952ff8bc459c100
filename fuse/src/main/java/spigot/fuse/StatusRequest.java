package spigot.fuse;

/** A request that is answered with success or an error only; see {@link Request}. */
public abstract class StatusRequest<R extends StatusRequest<R>> extends Request<R> {
    StatusRequest() {}

    public final boolean replyDone() {
        return sendStatus();
    }
}
