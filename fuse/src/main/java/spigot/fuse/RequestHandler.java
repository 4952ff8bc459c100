package spigot.fuse;

/** Answers one request; whatever it throws becomes the request's error, see {@link Request#handOver}. */
@FunctionalInterface
public interface RequestHandler<R extends Request<R>> {
    void handle(R request) throws Exception;
}
