package eks_rocketmq;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.concurrent.ThreadFactory;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.PopReviveService;
import org.apache.rocketmq.common.KeyBuilder;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.pop.PopCheckPoint;

/**
 * Revives a message that a consumer has not acknowledged, while the store refuses it once.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}, the messages in the retry topic after that, for RocketMQ
 * alone and with {@link RepeatedRevives}. Then {@code NAME MILLISECONDS} of refusals: of a checkpoint to the thread of a
 * client, to the thread that repeats refused checkpoints, and of a message on a broker that stops.
 */
public final class RefusedRevive {
    private static final String TOPIC = "orders";

    private RefusedRevive() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController controller = TestProgram.createBroker(arguments[0]);
            DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
            store.start();
            store.putMessage(TestMessage.create(TOPIC));
            TestProgram.awaitQueues(store);
            report("rocketmq", controller, store);
            RepeatedRevives.install(controller);
            report("agent", controller, store);
            store.getRunningFlags().makeFenced(true);
            reportRefusal("agent-client", controller, Thread::new);
            reportRefusal("agent-repeater", controller, task -> new Thread(task, "PopBufferMergeService"));
            PrivateFields.write(BrokerController.class, "shutdown", controller, true);
            long begin = System.nanoTime();
            revive(controller, "agent-stops");
            System.out.println("agent-stops " + (System.nanoTime() - begin) / 1_000_000);
        });
    }

    private static void report(String name, BrokerController controller, DefaultMessageStore store) throws Exception {
        store.getRunningFlags().makeFenced(true);
        Thread thread = new Thread(() -> revive(controller, name));
        thread.start();
        while (thread.isAlive() && !isPausing(thread)) {
            Thread.sleep(10);
        }
        store.getRunningFlags().makeFenced(false);
        thread.join();
        TestProgram.awaitQueues(store);
        String retryTopic = KeyBuilder.buildPopRetryTopic(
                TOPIC, name, controller.getBrokerConfig().isEnableRetryTopicV2());
        System.out.println(name + " " + store.getMaxOffsetInQueue(retryTopic, 0));
    }

    /** Returns whether a thread waits until it stores the message again. */
    private static boolean isPausing(Thread thread) {
        return Arrays.stream(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(RepeatedRevives.class.getName())
                        && frame.getMethodName().equals("pause"));
    }

    /** Stores a checkpoint that is refused. */
    private static void reportRefusal(String name, BrokerController controller, ThreadFactory threads)
            throws InterruptedException {
        long begin = System.nanoTime();
        Thread thread = threads.newThread(
                () -> controller.getEscapeBridge().putMessageToSpecificQueue(TestMessage.create("revive")));
        thread.start();
        thread.join();
        System.out.println(name + " " + (System.nanoTime() - begin) / 1_000_000);
    }

    /** Revives the message as the thread of a revive queue does. */
    private static void revive(BrokerController controller, String group) {
        try {
            PopCheckPoint point = new PopCheckPoint();
            point.setTopic(TOPIC);
            point.setCId(group);
            point.setBrokerName(controller.getBrokerConfig().getBrokerName());
            point.setPopTime(System.currentTimeMillis());
            point.setNum((byte) 1);
            point.addDiff(0);
            PopReviveService service = new PopReviveService(controller, "revive", 0);
            service.setShouldRunPopRevive(true);
            Method revive = PopReviveService.class.getDeclaredMethod("reviveMsgFromCk", PopCheckPoint.class);
            revive.setAccessible(true);
            revive.invoke(service, point);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }
}
