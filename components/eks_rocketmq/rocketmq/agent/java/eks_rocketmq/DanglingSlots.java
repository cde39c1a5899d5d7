package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.timer.Slot;
import org.apache.rocketmq.store.timer.TimerMessageStore;
import org.apache.rocketmq.store.timer.TimerWheel;

/**
 * Slots of the timer wheel that name positions beyond the end of the timer log.
 *
 * <p>A broker that loses its power can keep a slot and lose the records of this slot: RocketMQ writes the log to the
 * disk first, then the wheel, which names the records that came meanwhile. Its recovery corrects only slots whose first
 * record is in the log. It then stores the delayed messages again, at the same positions, each with the position that
 * its slot names as its predecessor, which is its own. A master reads such a record for ever, until it has no memory
 * left, and does so again after each restart.
 */
final class DanglingSlots {
    private DanglingSlots() {}

    /** Clears the slots of a broker that is not started yet. Its delayed messages are stored in them again. */
    static void clear(BrokerController controller) {
        TimerMessageStore timers = controller.getTimerMessageStore();
        if (timers != null) { // the wheel can be disabled
            clear(timers);
        }
    }

    static void clear(TimerMessageStore timers) {
        TimerWheel wheel = timers.getTimerWheel();
        long end = timers.getTimerLog().getMappedFileQueue().getMaxOffset();
        for (int index = 0; index < wheel.slotsTotal * 2; index++) {
            Slot slot = wheel.getRawSlot((long) index * wheel.precisionMs);
            if (slot.firstPos >= end && slot.timeMs > 0) {
                wheel.putSlot(slot.timeMs, TimerWheel.BLANK, TimerWheel.BLANK, 0, 0);
            }
        }
    }
}
