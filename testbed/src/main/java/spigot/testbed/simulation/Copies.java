package spigot.testbed.simulation;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import spigot.coherence.token.Token;
import spigot.model.Version;

/** What one client has of the files: its cache and journal on disk, which survive a crash, and the kernel's pages, which do not. */
final class Copies {
    /** @param right a version at which it was right */
    record Cached(long number, Version right) {}

    /** Written, and maybe not committed before the session was lost. */
    record Orphan(long number, Version right) {}

    /** How often something became an orphan. */
    long orphanings;

    /** A page in the kernel's cache. */
    static final class Page {
        final long session;

        /** Filled under an exclusive token: programs may store to it. */
        final boolean exclusive;

        long number;
        boolean dirty;

        Page(long number, boolean exclusive, long session) {
            this.number = number;
            this.exclusive = exclusive;
            this.session = session;
        }
    }

    /** A request of a program that is in service under a token. */
    static final class InService {
        final Block block;
        final Token token;
        boolean over;

        InService(Block block, Token token) {
            this.block = block;
            this.token = token;
        }
    }

    final Map<Block, Cached> cache = new HashMap<>();
    final Map<Block, Orphan> orphans = new HashMap<>();
    final Map<Block, Page> pages = new HashMap<>();

    /** Requests under way; the kernel has at most one for a page. */
    final Map<Block, InService> inService = new HashMap<>();

    /** By file, drops that the kernel does not get done; what it then serves is not checked. */
    final Map<Integer, Integer> stuck = new HashMap<>();

    @Nullable
    Cached usable(Block block, Token token) {
        Cached cached = cache.get(block);
        return cached != null && cached.right().compareTo(token.since()) >= 0 ? cached : null;
    }

    void crashed() {
        pages.clear();
        inService.clear();
        stuck.clear();
    }
}
