package eks_rocketmq;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.PutMessageStatus;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.timer.TimerMessageStore;

/**
 * Deliveries of delayed messages that end when their broker becomes a slave.
 *
 * <p>A slave refuses writes before its timer stops. A thread of the timer that is refused then repeats the same message
 * until it is stored ({@code TimerDequeuePutMessageService}). The thread that reads the timer wheel waits for it, in
 * 5.4.0 and 5.5.0 up to 2 s after the timer has stopped. If the broker is master again by then, the message is stored
 * once more, and the timer continues one second after the position that it has copied from the former master. What that
 * one had not delivered of this second is never delivered.
 *
 * <p>Here the timer continues at that position. An exception ends the attempt, and RocketMQ's thread asks again whether
 * the timer runs. If it does not, the thread leaves the message to the next master. A message that was due before it
 * was in the timer wheel counts as not delivered, so RocketMQ puts it there.
 */
final class EndedDeliveries implements Function<MessageExtBrokerInner, PutMessageResult> {
    /** Pause before the exception, which RocketMQ logs. A timer can run for seconds after its broker is a slave. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final BrokerController controller;

    private EndedDeliveries(BrokerController controller) {
        this.controller = controller;
    }

    /** Replaces the storage of delayed messages that are due, of a broker that is not started yet. */
    static void install(BrokerController controller) {
        TimerMessageStore timers = controller.getTimerMessageStore();
        if (timers != null) { // the wheel can be disabled
            timers.registerEscapeBridgeHook(new EndedDeliveries(controller));
        }
    }

    /** Called with a message by a thread of the timer, which has nothing else to do until the message is stored. */
    @Override
    public PutMessageResult apply(MessageExtBrokerInner message) {
        PutMessageResult result = controller.getEscapeBridge().putMessage(message);
        if (result.getPutMessageStatus() == PutMessageStatus.SERVICE_NOT_AVAILABLE && isSlave()) {
            repeatSecond();
            LockSupport.parkNanos(PAUSE_NANOS);
            throw new IllegalStateException("this broker is a slave now, so it delivers no delayed messages");
        }
        return result;
    }

    /** Returns whether this broker is a slave. With {@code timerSkipUnknownError}, an exception drops the message. */
    private boolean isSlave() {
        MessageStoreConfig config = controller.getMessageStoreConfig();
        return config.getBrokerRole() == BrokerRole.SLAVE && !config.isTimerSkipUnknownError();
    }

    /** Makes the timer count its second as not read. RocketMQ's thread does that only if it asks in time. */
    private void repeatSecond() {
        try {
            PrivateFields.write(
                    TimerMessageStore.class, "dequeueStatusChangeFlag", controller.getTimerMessageStore(), true);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("cannot make the timer repeat a second", error);
        }
    }
}
