package eks_rocketmq;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.util.ConcurrentModificationException;
import java.util.LinkedList;
import java.util.stream.Stream;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.BrokerStartup;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.DefaultHAService;
import org.apache.rocketmq.store.ha.HAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Computes the confirmed offset while a slave connects.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT} for RocketMQ's own replication and for that of the agent.
 * The broker opens no port.
 */
public final class ChangingConnections {
    private ChangingConnections() {}

    public static void main(String[] arguments) throws Exception {
        BrokerController controller = BrokerStartup.createBrokerController(new String[] {"-c", arguments[0]});
        DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
        Constructor<ConfirmedHAService> agent = ConfirmedHAService.class.getDeclaredConstructor(MessageStoreConfig.class);
        agent.setAccessible(true);
        report("rocketmq", new AutoSwitchHAService(), store);
        report("agent", agent.newInstance(store.getMessageStoreConfig()), store);
        Runtime.getRuntime().halt(0);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        Field connections = DefaultHAService.class.getDeclaredField("connectionList");
        connections.setAccessible(true);
        connections.set(service, new ChangingList());
        String result;
        try {
            result = String.valueOf(service.computeConfirmOffset());
        } catch (ConcurrentModificationException error) {
            result = "failed";
        }
        System.out.println(name + " " + result);
    }

    /** List that another thread changes during the first read. */
    private static final class ChangingList extends LinkedList<HAConnection> {
        private static final long serialVersionUID = 1L;
        private boolean read;

        @Override
        public Stream<HAConnection> stream() {
            if (!read) {
                read = true;
                throw new ConcurrentModificationException();
            }
            return super.stream();
        }
    }
}
