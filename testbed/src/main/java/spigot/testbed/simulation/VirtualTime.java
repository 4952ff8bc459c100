package spigot.testbed.simulation;

import java.util.PriorityQueue;

/** True time of a simulation, in milliseconds, and what is to happen in it. Equal times keep the order of their scheduling. */
final class VirtualTime {
    private record Event(long atMillis, long number, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atMillis, other.atMillis);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long scheduled;
    private long handled;
    private long nowMillis;

    long nowMillis() {
        return nowMillis;
    }

    long handled() {
        return handled;
    }

    void after(long millis, Runnable action) {
        events.add(new Event(nowMillis + millis, scheduled++, action));
    }

    void runUntil(long endMillis) {
        for (Event next = events.peek(); next != null && next.atMillis <= endMillis; next = events.peek()) {
            events.remove();
            nowMillis = next.atMillis;
            handled++;
            next.action.run();
        }
        nowMillis = endMillis;
    }
}
