package eks_rocketmq;

import java.io.RandomAccessFile;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.function.Consumer;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.timer.TimerCheckpoint;
import org.apache.rocketmq.store.timer.TimerLog;
import org.apache.rocketmq.store.timer.TimerMessageStore;
import org.apache.rocketmq.store.timer.TimerMetrics;

/**
 * Stores delayed messages again after a loss of power. The timer wheel is complete, and the timer log has only its first
 * record.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RECORDS}, the number of records that a master then reads for one
 * time, or {@code endless}. The time {@code first} has the first and the third message, {@code second} has the second
 * one. Both are printed for RocketMQ and for the agent.
 */
public final class LostTimerLog {
    private static final int MESSAGES = 3;
    private static final long NOW = System.currentTimeMillis() / 1000 * 1000;

    private LostTimerLog() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController controller = TestProgram.createBroker(arguments[0]);
            report("rocketmq", controller, timers -> {});
            report("agent", controller, DanglingSlots::clear);
        });
    }

    private static void report(String name, BrokerController controller, Consumer<TimerMessageStore> repair)
            throws Exception {
        Path folder = Paths.get(controller.getMessageStoreConfig().getStorePathRootDir(), name);
        TimerMessageStore before = load(controller, folder);
        for (int message = 0; message < MESSAGES; message++) {
            store(before, message);
        }
        before.getTimerWheel().flush();
        try (RandomAccessFile log = new RandomAccessFile(folder.resolve("timerlog/00000000000000000000").toFile(), "rw")) {
            log.seek(TimerLog.UNIT_SIZE);
            log.write(new byte[(MESSAGES - 1) * TimerLog.UNIT_SIZE]);
        }

        TimerMessageStore after = load(controller, folder);
        repair.accept(after);
        for (int message = 1; message < MESSAGES; message++) {
            store(after, message);
        }
        System.out.println(name + "-first " + countRecords(after, findTime(0)));
        System.out.println(name + "-second " + countRecords(after, findTime(1)));
    }

    private static TimerMessageStore load(BrokerController controller, Path folder) throws Exception {
        MessageStoreConfig config = new MessageStoreConfig();
        config.setStorePathRootDir(folder.toString());
        TimerMessageStore timers = new TimerMessageStore(
                controller.getMessageStore(),
                config,
                new TimerCheckpoint(folder.resolve("timercheck").toString()),
                new TimerMetrics(folder.resolve("timermetrics").toString()),
                controller.getBrokerStatsManager());
        timers.load();
        PrivateFields.write(TimerMessageStore.class, "currWriteTimeMs", timers, NOW);
        return timers;
    }

    /** Time of a message. The first and the third have the same. */
    private static long findTime(int message) {
        return NOW + 60_000 + message % 2 * 1000;
    }

    private static void store(TimerMessageStore timers, int message) throws Exception {
        // Versions have different arguments.
        Method store = Arrays.stream(TimerMessageStore.class.getMethods())
                .filter(method -> method.getName().equals("doEnqueue"))
                .findFirst()
                .get();
        Object[] arguments = {100L * message, 100, findTime(message), new MessageExt(), false};
        store.invoke(timers, Arrays.copyOf(arguments, store.getParameterCount()));
    }

    private static String countRecords(TimerMessageStore timers, long time) {
        int records = 0;
        long position = timers.getTimerWheel().getSlot(time).lastPos;
        while (position != -1) {
            if (++records > MESSAGES) {
                return "endless";
            }
            // A record begins with its size and the position of the previous one.
            position = timers.getTimerLog().getTimerMessage(position).getByteBuffer().getLong(Integer.BYTES);
        }
        return String.valueOf(records);
    }
}
