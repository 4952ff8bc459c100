/**
 * The lease machines of production, several clients and two grantors in one thread from one seed over virtual time, among
 * lost, late and doubled messages, cuts, crashes, pauses and clocks that go differently.
 */
@NullMarked
package spigot.testbed.simulation;

import org.jspecify.annotations.NullMarked;
