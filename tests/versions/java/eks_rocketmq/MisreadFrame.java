package eks_rocketmq;

import java.io.DataOutputStream;
import java.net.Socket;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;

/**
 * Sends a slave a header with an impossible length, as it reads one at a wrong position of its buffer.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME STATE} of the slave's connection: {@code rocketmq} after further
 * data, {@code agent-receiving} if its log grows meanwhile, {@code agent-in-sync} if it was in sync meanwhile, and
 * {@code agent} otherwise.
 */
public final class MisreadFrame {
    private static final int HEADERS = 20;
    private static final long STUCK_NANOS = 21_000_000_000L; // the agent waits for 20 s

    private MisreadFrame() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            AutoSwitchHAClient slave = new EmptyMaster.Slaves(arguments[0]).createOriginal();
            try (Socket connection = EmptyMaster.connect(slave)) {
                EmptyMaster.readReport(connection);
                DataOutputStream data = new DataOutputStream(connection.getOutputStream());
                data.writeInt(HAConnectionState.TRANSFER.ordinal());
                data.writeInt(-1);
                for (int number = 0; number < HEADERS; number++) {
                    EmptyMaster.sendHeader(connection, HAConnectionState.TRANSFER);
                    Thread.sleep(100);
                }
                report("rocketmq", slave);
                StuckReplication replication = new StuckReplication();
                replication.check(slave, 0);
                setBack(replication);
                replication.check(slave, 42);
                report("agent-receiving", slave);
                setBack(replication);
                replication.reset();
                replication.check(slave, 42);
                report("agent-in-sync", slave);
                setBack(replication);
                replication.check(slave, 42);
                report("agent", slave);
            }
        });
    }

    private static void setBack(StuckReplication replication) throws ReflectiveOperationException {
        PrivateFields.write(StuckReplication.class, "since", replication, System.nanoTime() - STUCK_NANOS);
    }

    private static void report(String name, AutoSwitchHAClient slave) throws Exception {
        for (int attempt = 0; attempt < HEADERS && isOpen(slave); attempt++) {
            Thread.sleep(50); // its thread ends the connection
        }
        System.out.println(name + " " + (isOpen(slave) ? "open" : "ended"));
    }

    private static boolean isOpen(AutoSwitchHAClient slave) {
        return slave.getCurrentState() == HAConnectionState.TRANSFER;
    }
}
