package spigot.testbed.simulation;

/** A process with a clock of its own, which may pause, crash and start again. */
abstract class SimulatedProcess {
    private final World world;
    final int index;
    final String name;

    /** Of its clock: between 0.98 and 1.02. */
    private final double rate;

    private final long clockOffsetMillis;
    private long pausedUntilMillis;
    boolean up;

    /** How often it has started. */
    int life;

    SimulatedProcess(World world, int index, String name) {
        this.world = world;
        this.index = index;
        this.name = name;
        // Most of the clocks go as wrongly as they may.
        this.rate = switch (world.random.nextInt(8)) {
            case 0, 1, 2 -> 0.98;
            case 3, 4, 5 -> 1.02;
            default -> 0.98 + 0.04 * world.random.nextDouble();
        };
        this.clockOffsetMillis = world.random.nextInt(1_000_000);
    }

    long clockMillis() {
        return clockOffsetMillis + (long) (world.time.nowMillis() * rate);
    }

    boolean paused() {
        return pausedUntilMillis > world.time.nowMillis();
    }

    void pause(long millis) {
        pausedUntilMillis = Math.max(pausedUntilMillis, world.time.nowMillis() + millis);
    }

    void wake() {
        pausedUntilMillis = world.time.nowMillis();
    }

    /** Runs now, or when the pause is over; never when this life is over by then. */
    void inThisLife(long delayMillis, Runnable action) {
        int thisLife = life;
        world.time.after(
                delayMillis,
                () -> whenAwake(() -> {
                    if (up && life == thisLife) {
                        action.run();
                    }
                }));
    }

    /** Runs now, or when the pause is over, in whatever life that is. */
    void whenAwake(Runnable action) {
        if (paused()) {
            world.time.after(pausedUntilMillis - world.time.nowMillis(), () -> whenAwake(action));
        } else if (up) {
            action.run();
        }
    }

    void start() {
        up = true;
        life++;
        started();
        tick();
    }

    void crash() {
        up = false;
        crashed();
    }

    private void tick() {
        ticked();
        inThisLife(World.TICK_MILLIS, this::tick);
    }

    abstract void started();

    abstract void crashed();

    abstract void ticked();
}
