package eks_rocketmq;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.BrokerStartup;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.MessageStore;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.DefaultHAService;
import org.apache.rocketmq.store.ha.HAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/** What the programs that start a store share. */
final class TestProgram {
    private TestProgram() {}

    /** Body of a program. */
    interface Body {
        void run() throws Exception;
    }

    /** Runs a program and ends the process. Threads of a store would run on. */
    static void run(Body body) {
        try {
            body.run();
            Runtime.getRuntime().halt(0);
        } catch (Exception error) {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    /** What a program does with RocketMQ's own replication, and then with that of the agent. */
    interface Comparison {
        void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception;
    }

    /** Runs a program with the store of a broker that opens no port. The argument is its {@code broker.conf}. */
    static void compare(String[] arguments, Comparison comparison) {
        run(() -> {
            BrokerController controller = createBroker(arguments[0]);
            DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
            comparison.report("rocketmq", new AutoSwitchHAService(), store);
            comparison.report("agent", createConfirmed(store.getMessageStoreConfig()), store);
        });
    }

    /** Runs a program with a store that is started, opens no port but that of the replication, and takes messages. */
    static void compareStarted(String[] arguments, Comparison comparison) {
        run(() -> {
            DefaultMessageStore store =
                    (DefaultMessageStore) createBroker(arguments[0]).getMessageStore();
            AutoSwitchHAService own = (AutoSwitchHAService) store.getHaService();
            ConfirmedHAService confirmed = createConfirmed(store.getMessageStoreConfig());
            confirmed.init(store);
            store.start();
            store.getRunningFlags().makeFenced(false);
            for (AutoSwitchHAService service : new AutoSwitchHAService[] {own, confirmed}) {
                PrivateFields.write(DefaultMessageStore.class, "haService", store, service);
                service.setLocalBrokerId(1L);
                comparison.report(service == own ? "rocketmq" : "agent", service, store);
            }
        });
    }

    /** Returns a replication of the agent that proposes and copies nothing. */
    static ConfirmedHAService createConfirmed(MessageStoreConfig config) {
        return new ConfirmedHAService(config, new Proposals(() -> 0, members -> true), () -> true);
    }

    /**
     * Returns a broker that is not started, with the settings of a file.
     *
     * <p>RocketMQ's threads of transactions would use a processor for the first 10 s of each broker.
     */
    static BrokerController createBroker(String file) {
        BrokerController controller = BrokerStartup.createBrokerController(new String[] {"-c", file});
        try {
            PacedTransactions.install(controller);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
        return controller;
    }

    /** Returns the store of a broker with the settings of a file. It is started, opens no port, and takes messages. */
    static DefaultMessageStore startStore(String file) throws Exception {
        DefaultMessageStore store = (DefaultMessageStore) createBroker(file).getMessageStore();
        store.start();
        store.getRunningFlags().makeFenced(false);
        return store;
    }

    /** What needs an open connection. */
    interface ConnectedBody {
        void run(SocketChannel channel) throws Exception;
    }

    /** Runs a body with a connection, whose other end neither reads nor writes. */
    static void withConnection(ConnectedBody body) throws Exception {
        try (ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel channel = SocketChannel.open(server.getLocalAddress())) {
            body.run(channel);
        }
    }

    /** Makes a slave the only one that is connected. */
    static AutoSwitchHAConnection connect(AutoSwitchHAService service, SocketChannel channel, long slaveId)
            throws Exception {
        PrivateFields.write(DefaultHAService.class, "connectionList", service, new ArrayList<>());
        return add(service, channel, slaveId);
    }

    /** Adds a connection of a slave. */
    static AutoSwitchHAConnection add(AutoSwitchHAService service, SocketChannel channel, long slaveId)
            throws Exception {
        AutoSwitchHAConnection slave = new AutoSwitchHAConnection(service, channel, null);
        PrivateFields.write(AutoSwitchHAConnection.class, "slaveId", slave, slaveId);
        PrivateFields.<List<HAConnection>>read(DefaultHAService.class, "connectionList", service)
                .add(slave);
        return slave;
    }

    /** Sets the end of the log that a slave has. */
    static void acknowledge(AutoSwitchHAConnection slave, long end) throws Exception {
        PrivateFields.write(AutoSwitchHAConnection.class, "slaveAckOffset", slave, end);
    }

    /** Waits until the queues have every message of the log that they may have. */
    static void awaitQueues(MessageStore store) throws InterruptedException {
        while (store.dispatchBehindBytes() > 0) {
            Thread.sleep(10);
        }
    }
}
