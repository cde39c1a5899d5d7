package eks_rocketmq;

import java.nio.channels.SocketChannel;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import org.apache.rocketmq.remoting.protocol.EpochEntry;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;

/**
 * Lets two slaves join a master whose controllers answer late, and lets the former connection of a slave end.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME SETS} for RocketMQ's own replication and for that of the agent,
 * the number of sets that it proposes: while the slaves join, and with {@code -ended} after the end of the connection.
 * {@code NAME-last MEMBERS} is the last set while they join.
 */
public final class JoiningSlaves {
    private static final int REPORTS = 100;

    private JoiningSlaves() {}

    public static void main(String[] arguments) {
        TestProgram.compare(
                arguments,
                (name, service, store) -> TestProgram.withConnection(channel -> report(name, service, store, channel)));
    }

    private static void report(
            String name, AutoSwitchHAService service, DefaultMessageStore store, SocketChannel channel)
            throws Exception {
        service.init(store);
        service.setLocalBrokerId(1L);
        PrivateFields.<EpochFileCache>read(AutoSwitchHAService.class, "epochCache", service)
                .appendEntry(new EpochEntry(1, 0));
        service.setSyncStateSet(Collections.singleton(1L));
        TestProgram.connect(service, channel, 2);
        TestProgram.add(service, channel, 3);
        List<Set<Long>> proposed = new CopyOnWriteArrayList<>();
        CountDownLatch answered = new CountDownLatch(1);
        service.registerSyncStateSetChangedListener(members -> {
            proposed.add(new TreeSet<>(members));
            try {
                answered.await();
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        });
        for (int number = 0; number < REPORTS; number++) {
            service.maybeExpandInSyncStateSet(2L, 1);
            service.maybeExpandInSyncStateSet(3L, 1);
        }
        answered.countDown();
        awaitProposals(service);
        System.out.println(name + " " + proposed.size());
        System.out.println(
                name + "-last " + proposed.get(proposed.size() - 1).toString().replace(" ", ""));

        service.setSyncStateSet(new TreeSet<>(List.of(1L, 2L, 3L)));
        proposed.clear();
        PrivateFields.write(DefaultMessageStore.class, "shutdown", store, false); // it is not started
        service.removeConnection(TestProgram.add(service, channel, 3));
        awaitProposals(service);
        System.out.println(name + "-ended " + proposed.size());
    }

    /** Waits for the thread that sends the proposals. */
    private static void awaitProposals(AutoSwitchHAService service) throws Exception {
        PrivateFields.<ExecutorService>read(AutoSwitchHAService.class, "executorService", service)
                .submit(() -> {})
                .get();
    }
}
