package spigot.fuse;

import java.util.concurrent.ConcurrentHashMap;

/** The detached requests that are not answered yet, by their number, so that an INTERRUPT finds them. Bounded. Any thread. */
final class PendingRequests {
    private static final int LOOK_MILLIS = 50;

    private final int limit;
    private final ConcurrentHashMap<Long, Request<?>> requests = new ConcurrentHashMap<>();

    PendingRequests(int limit) {
        this.limit = limit;
    }

    void admit(Request<?> request) {
        if (requests.mappingCount() >= limit) {
            throw new RequestRefusedException(limit);
        }
        requests.put(request.unique(), request);
    }

    void remove(Request<?> request) {
        requests.remove(request.unique(), request);
    }

    /** @return whether there is such a request */
    boolean interrupt(long unique) {
        Request<?> request = requests.get(unique);
        if (request == null) {
            return false;
        }
        signalled(request);
        return true;
    }

    /**
     * The caller of a request has got a signal: the request is interrupted if that is a fatal one, or when one comes, as long as it is not answered. What waits
     * for others by its nature ends at any.
     */
    void signalled(Request<?> request) {
        if (request.endsAtAnySignal() || FatalSignals.isPending(request.pid())) {
            request.interrupt();
        } else {
            Thread.ofVirtual().name("fuse-signalled-" + request.unique()).start(() -> watch(request));
        }
    }

    private void watch(Request<?> request) {
        try {
            while (requests.get(request.unique()) == request) {
                if (FatalSignals.isPending(request.pid())) {
                    request.interrupt();
                    return;
                }
                // The kernel tells of the first signal only: of a later one there is nothing to wait for.
                Thread.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    /** Nobody waits for them any more: lets go what works on them. */
    void interruptAll() {
        requests.values().forEach(Request::interrupt);
    }

    int size() {
        return (int) Math.min(Integer.MAX_VALUE, requests.mappingCount());
    }
}
