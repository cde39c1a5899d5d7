package eks_rocketmq;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.hook.PutMessageHook;
import org.apache.rocketmq.store.timer.TimerCheckpoint;
import org.apache.rocketmq.store.timer.TimerMessageStore;

/**
 * Makes a broker a slave while a delayed message is due, and master again.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME COUNT}, how often this broker has delivered a message, for
 * RocketMQ alone and with {@link EndedDeliveries}. The slave refuses the message {@code first}. The message {@code
 * second} is due one second later. The other master has delivered the first one, or none ({@code undelivered}). The
 * message {@code overdue} is due before it is in the timer wheel. The other master has it there, and delivers nothing.
 */
public final class DemotedTimer {
    private static final int IDLE = 1; // AbstractStateService.WAITING

    private final BrokerController controller;
    private final MessageStoreConfig config;
    private final DefaultMessageStore store;
    private final TimerMessageStore timers;
    private final List<String> refused = new CopyOnWriteArrayList<>();

    private DemotedTimer(BrokerController controller) {
        this.controller = controller;
        this.config = controller.getMessageStoreConfig();
        this.store = (DefaultMessageStore) controller.getMessageStore();
        this.timers = controller.getTimerMessageStore();
    }

    public static void main(String[] arguments) {
        TestProgram.run(() -> new DemotedTimer(TestProgram.createBroker(arguments[0])).run());
    }

    private void run() throws Exception {
        store.getPutMessageHookList().add(0, new Refusals());
        store.start();
        controller.getTimerCheckpoint().setLastReadTimeMs(System.currentTimeMillis() / 1000 * 1000);
        timers.syncLastReadTimeMs(); // it would begin a week ago
        timers.start();
        controller.changeScheduleServiceStatus(true);
        report("rocketmq", due -> elect(due + 1000, due + 1000));
        EndedDeliveries.install(controller);
        report("agent", due -> elect(due + 1000, due + 1000));
        report("agent-undelivered", due -> {
            await(() -> timers.checkStateForPutMessages(IDLE)); // and not before its thread has noticed
            elect(due, due + 1000);
        });
        reportOverdue("agent-overdue");
    }

    private void report(String name, Election election) throws Exception {
        String first = name + "-first";
        String second = name + "-second";
        long due = System.currentTimeMillis() / 1000 * 1000 + 4000;
        store(first, due);
        store(second, due + 1000);
        await(() -> timers.getTimerWheel().getNum(due) + timers.getTimerWheel().getNum(due + 1000) == 2);
        config.setBrokerRole(BrokerRole.SLAVE);
        stopTimer(first);
        election.run(due);
        print(first);
        print(second);
    }

    private void reportOverdue(String name) throws Exception {
        config.setTimerStopEnqueue(true);
        long due = System.currentTimeMillis() / 1000 * 1000 + 1000;
        store(name, due);
        await(() -> timers.getCurrReadTimeMs() > due);
        config.setBrokerRole(BrokerRole.SLAVE);
        config.setTimerStopEnqueue(false);
        stopTimer(name);
        long end = store.getMaxOffsetInQueue(TimerMessageStore.TIMER_TOPIC, 0);
        await(() -> timers.getCommitQueueOffset() == end);
        elect(due, due);
        print(name);
    }

    /** Stores a message that is due at a time. RocketMQ delivers one for a full second a second early. */
    private void store(String topic, long due) throws InterruptedException {
        MessageExtBrokerInner message = TestMessage.create(topic);
        MessageAccessor.putProperty(message, MessageConst.PROPERTY_TIMER_DELIVER_MS, String.valueOf(due + 1000));
        store.putMessage(message);
        TestProgram.awaitQueues(store);
    }

    /** Waits until a message is refused twice, and stops the timer as a change to slave does. */
    private void stopTimer(String topic) throws InterruptedException {
        await(() -> Collections.frequency(refused, topic) > 1);
        config.setTimerStopEnqueue(true); // its thread could write the position before elect() does
        controller.changeScheduleServiceStatus(false);
    }

    /** Makes this broker master with the position of the former one, and waits until the timer has passed a time. */
    private void elect(long position, long passed) throws InterruptedException {
        TimerCheckpoint checkpoint = controller.getTimerCheckpoint();
        checkpoint.setMasterTimerQueueOffset(timers.getQueueOffset());
        checkpoint.setLastReadTimeMs(position);
        config.setBrokerRole(BrokerRole.SYNC_MASTER);
        controller.changeScheduleServiceStatus(true);
        await(() -> timers.getCurrReadTimeMs() > passed && timers.checkStateForPutMessages(IDLE));
        config.setTimerStopEnqueue(false);
        TestProgram.awaitQueues(store);
    }

    private void print(String topic) throws Exception {
        System.out.println(topic + " " + store.getMaxOffsetInQueue(topic, 0));
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(10);
        }
    }

    /** Makes this broker master again. */
    private interface Election {
        void run(long due) throws Exception;
    }

    private final class Refusals implements PutMessageHook {
        @Override
        public String hookName() {
            return "refusals";
        }

        @Override
        public PutMessageResult executeBeforePutMessage(MessageExt message) {
            if (config.getBrokerRole() == BrokerRole.SLAVE) {
                refused.add(message.getTopic()); // by the next hook
            }
            return null;
        }
    }
}
