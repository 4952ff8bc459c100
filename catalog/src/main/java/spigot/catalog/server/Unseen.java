package spigot.catalog.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import spigot.model.FileId;
import spigot.session.LeaseGrantor;

/**
 * Numbers the changes on behalf of clients. The tables note them with their directories until the client has seen the change, so that
 * a catalog that starts again shows these directories to nobody before the leases of its former life have run out. What has been seen
 * is deleted by the next command of this kind: it costs no write of its own. Safe for any thread. Bounded as open changes are.
 */
final class Unseen {
    private static final int MOST_AT_ONCE = 1000;
    private static final int HIDDEN_AT_ONCE = 10_000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Set<Long> seen = new TreeSet<>();
    private long last;

    /** @param life of the catalog: no two lives use the same numbers */
    Unseen(long life) {
        this.last = life << 32;
    }

    /** What a former life has left. */
    void hide(View view, LeaseGrantor grantor) throws IOException {
        Set<FileId> directories = new TreeSet<>();
        List<Long> numbers = new ArrayList<>();
        view.scan(Table.UNSEEN, new byte[0], (key, value) -> {
            for (int at = 0; at < value.length; at += Keys.ID) {
                directories.add(Keys.fileAt(value, at));
            }
            return numbers.add(Keys.number(key));
        });
        List<FileId> all = List.copyOf(directories);
        for (int from = 0; from < all.size(); from += HIDDEN_AT_ONCE) {
            int to = Math.min(all.size(), from + HIDDEN_AT_ONCE);
            // All are over at the same time.
            grantor.hide(all.subList(from, to), () -> {
                if (to == all.size()) {
                    numbers.forEach(this::saw);
                }
            });
        }
    }

    long next() {
        lock.lock();
        try {
            return ++last;
        } finally {
            lock.unlock();
        }
    }

    void saw(long number) {
        lock.lock();
        try {
            seen.add(number);
        } finally {
            lock.unlock();
        }
    }

    /** Some that may be deleted. */
    List<Long> seen() {
        lock.lock();
        try {
            return seen.stream().limit(MOST_AT_ONCE).toList();
        } finally {
            lock.unlock();
        }
    }

    void deleted(List<Long> numbers) {
        lock.lock();
        try {
            numbers.forEach(seen::remove);
        } finally {
            lock.unlock();
        }
    }
}
