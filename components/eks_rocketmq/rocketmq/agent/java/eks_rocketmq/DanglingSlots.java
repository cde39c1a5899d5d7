package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.timer.Slot;
import org.apache.rocketmq.store.timer.TimerMessageStore;
import org.apache.rocketmq.store.timer.TimerWheel;

/**
 * Slots of the timer wheel that name positions beyond the end of the timer log.
 *
 * <p>A broker that loses its power can keep a slot and lose the records of this slot: RocketMQ flushes the log first,
 * then the wheel, which may name newer records. The recovery of RocketMQ corrects only slots whose first record is in the
 * log. RocketMQ then stores the delayed messages again, at the same positions. A record gets the position in its slot as
 * its predecessor, which is now its own position. A master reads this record until no memory is left, also after a
 * restart.
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
