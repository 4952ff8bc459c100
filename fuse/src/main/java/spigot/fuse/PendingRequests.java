package spigot.fuse;

import java.util.concurrent.ConcurrentHashMap;

/** The detached requests that are not answered yet, by their number, so that an INTERRUPT finds them. Bounded. Any thread. */
final class PendingRequests {
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
        request.interrupt();
        return true;
    }

    /** Nobody waits for them any more: lets go what works on them. */
    void interruptAll() {
        requests.values().forEach(Request::interrupt);
    }

    int size() {
        return (int) Math.min(Integer.MAX_VALUE, requests.mappingCount());
    }
}
