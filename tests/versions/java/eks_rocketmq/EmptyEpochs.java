package eks_rocketmq;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.remoting.protocol.EpochEntry;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;

/**
 * Changes the role of a broker that knows an epoch without a message in its log.
 *
 * <p>Argument: {@code broker.conf}. Prints, for RocketMQ's own replication and for that of the agent:
 *
 * <ul>
 *   <li>{@code NAME-elected EPOCHS}: the epochs that the broker knows when it is master of epoch 6;
 *   <li>{@code NAME-behind BYTES}: how much more the broker reports as slave than its log has;
 *   <li>{@code NAME-truncated EPOCHS}: the epochs that it knows when its log was truncated to the begin of epoch 5.
 * </ul>
 */
public final class EmptyEpochs {
    private static final int LOST_BYTES = 1000;

    private EmptyEpochs() {}

    public static void main(String[] arguments) {
        TestProgram.compareStarted(arguments, EmptyEpochs::report);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        append(store);
        EpochFileCache epochs = PrivateFields.read(AutoSwitchHAService.class, "epochCache", service);
        long end = store.getMaxPhyOffset();
        epochs.initCacheFromEntries(list(4, 0, 5, end));
        service.changeToMaster(6);
        System.out.println(name + "-elected " + describe(epochs));

        EpochFileCache lost = new EpochFileCache();
        lost.initCacheFromEntries(list(4, 0, 5, end + LOST_BYTES));
        AutoSwitchHAClient slave = connect(service, store, lost);
        handshake(slave, list(4, 0, 5, end + LOST_BYTES), end + 2 * LOST_BYTES);
        long reported = PrivateFields.read(AutoSwitchHAClient.class, "currentReportedOffset", slave);
        System.out.println(name + "-behind " + (reported - end));

        append(store);
        EpochFileCache dirty = new EpochFileCache();
        dirty.initCacheFromEntries(list(4, 0, 5, end));
        handshake(connect(service, store, dirty), list(4, 0, 6, end), end);
        System.out.println(name + "-truncated " + describe(dirty));
    }

    private static AutoSwitchHAClient connect(
            AutoSwitchHAService service, DefaultMessageStore store, EpochFileCache epochs) throws Exception {
        return service instanceof ConfirmedHAService
                ? new ConfirmedHAClient(service, store, epochs, 2L, () -> true)
                : new AutoSwitchHAClient(service, store, epochs, 2L);
    }

    /** Does what a slave does when it has the answer of the master. */
    private static void handshake(AutoSwitchHAClient slave, List<EpochEntry> epochs, long end) throws Exception {
        slave.changeCurrentState(HAConnectionState.HANDSHAKE);
        Method truncate = AutoSwitchHAClient.class.getDeclaredMethod("doTruncate", List.class, long.class);
        truncate.setAccessible(true);
        truncate.invoke(slave, epochs, end);
    }

    private static void append(DefaultMessageStore store) throws Exception {
        store.putMessage(TestMessage.create("topic"));
        TestProgram.awaitQueues(store);
    }

    private static List<EpochEntry> list(int first, long firstBegin, int last, long lastBegin) {
        return Arrays.asList(new EpochEntry(first, firstBegin), new EpochEntry(last, lastBegin));
    }

    private static String describe(EpochFileCache epochs) {
        return epochs.getAllEntries().stream()
                .map(epoch -> String.valueOf(epoch.getEpoch()))
                .collect(Collectors.joining(","));
    }
}
