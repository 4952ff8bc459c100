package spigot.testbed.simulation;

import java.util.SplittableRandom;

/**
 * How bad it gets in one run.
 *
 * @param lostPerMille of the messages
 * @param doubledPerMille of the messages
 * @param latePerMille of the messages are late by up to {@link #MAX_LATE_MILLIS}
 * @param faultEveryMillis mean time between two cuts, crashes or pauses; 0 for none
 * @param stuckPerMille of the drops take longer than any lease
 */
record Weather(int lostPerMille, int doubledPerMille, int latePerMille, int faultEveryMillis, int stuckPerMille) {
    /** Three leases. */
    static final int MAX_LATE_MILLIS = 3_000;

    static final Weather CALM = new Weather(0, 0, 0, 0, 0);

    static Weather of(SplittableRandom random) {
        return new Weather(
                random.nextInt(3) * random.nextInt(60),
                random.nextInt(3) * random.nextInt(60),
                random.nextInt(2) * random.nextInt(60),
                random.nextInt(4) == 0 ? 0 : random.nextInt(100, 1_500),
                random.nextInt(4) == 0 ? random.nextInt(100) : 0);
    }
}
