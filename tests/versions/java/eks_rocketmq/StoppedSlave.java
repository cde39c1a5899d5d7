package eks_rocketmq;

import java.util.Arrays;
import java.util.HashSet;
import java.util.TreeSet;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Checks an in-sync set with a slave that has caught up and stopped.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}: the members that remain, of the master 1, the slave 2
 * that has stopped, and the slave 3, for RocketMQ's own replication and for that of the agent.
 */
public final class StoppedSlave {
    private StoppedSlave() {}

    public static void main(String[] arguments) {
        TestProgram.compare(arguments, StoppedSlave::report);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        service.setLocalBrokerId(1L);
        service.setSyncStateSet(new HashSet<>(Arrays.asList(1L, 2L, 3L)));
        long now = System.currentTimeMillis();
        service.updateConnectionLastCaughtUpTime(2L, now);
        service.updateConnectionLastCaughtUpTime(3L, now);
        TestProgram.withConnection(channel -> {
            TestProgram.connect(service, channel, 3);
            String members = new TreeSet<>(service.maybeShrinkSyncStateSet()).toString();
            System.out.println(name + " " + members.replace(" ", ""));
        });
    }
}
