package eks_rocketmq;

import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.ConcurrentModificationException;
import java.util.LinkedList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.DefaultHAService;
import org.apache.rocketmq.store.ha.HAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Computes the confirmed offset, and ends all connections, while a slave connects.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT} for both, for RocketMQ's own replication and for that of
 * the agent. The broker opens no port.
 */
public final class ChangingConnections {
    private ChangingConnections() {}

    public static void main(String[] arguments) {
        TestProgram.compare(arguments, ChangingConnections::report);
    }

    private static void report(String name, AutoSwitchHAService service, DefaultMessageStore store) throws Exception {
        service.init(store);
        setConnections(service, new ChangingList());
        String result;
        try {
            result = String.valueOf(service.computeConfirmOffset());
        } catch (ConcurrentModificationException error) {
            result = "failed";
        }
        System.out.println(name + " " + result);
        setConnections(service, new LinkedList<>(Collections.singletonList(startConnection())));
        try {
            service.destroyConnections();
            result = "ended";
        } catch (NullPointerException error) {
            result = "failed";
        }
        System.out.println(name + "-connections " + result);
    }

    private static void setConnections(AutoSwitchHAService service, List<HAConnection> list) throws Exception {
        PrivateFields.write(DefaultHAService.class, "connectionList", service, list);
    }

    /** Returns a connection whose thread does not exist yet when it is ended first. */
    private static HAConnection startConnection() {
        AtomicBoolean ended = new AtomicBoolean();
        return (HAConnection) Proxy.newProxyInstance(
                HAConnection.class.getClassLoader(), new Class<?>[] {HAConnection.class}, (proxy, method, values) -> {
                    if (method.getName().equals("shutdown") && !ended.getAndSet(true)) {
                        throw new NullPointerException();
                    }
                    return null;
                });
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
