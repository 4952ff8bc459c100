package spigot.testbed.simulation;

/** What happened in runs of {@link TokenSimulation}. */
public final class TokenTally extends Tally {
    public long writes;
    public long stores;
    public long launders;
    public long commits;
    public long notDurable;
    public long fsyncs;
    public long serialisedReads;
    public long serialisedWrites;
    public long reclaims;
    public long orphans;
    public long orphansSaved;
    public long spared;

    @Override
    public String toString() {
        return super.toString() + "; " + writes + " writes, " + stores + " stores, " + launders + " launders, "
                + commits
                + " commits, " + notDurable + " not durable, " + fsyncs + " fsyncs; serialised: " + serialisedReads
                + " reads, " + serialisedWrites + " writes; " + reclaims + " reclaims, " + orphans + " orphans, "
                + orphansSaved + " saved, " + spared + " copies spared";
    }
}
