package eks_rocketmq;

import java.net.Socket;
import java.net.SocketTimeoutException;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;

/**
 * Connects a slave with an empty log to a master with an empty log.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME OFFSET}, the offset that the slave reports, or {@code silent} if
 * it reports none within {@code WAIT_MILLIS}, for RocketMQ's own client and for that of the agent.
 */
public final class UnreportedOffset {
    private static final int WAIT_MILLIS = 3000;

    private UnreportedOffset() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            EmptyMaster.Slaves slaves = new EmptyMaster.Slaves(arguments[0]);
            report("rocketmq", slaves.createOriginal());
            report("agent", slaves.createConfirmed());
        });
    }

    private static void report(String name, AutoSwitchHAClient slave) throws Exception {
        try (Socket connection = EmptyMaster.connect(slave)) {
            connection.setSoTimeout(WAIT_MILLIS);
            System.out.println(name + " " + readReport(connection));
        }
    }

    private static String readReport(Socket connection) throws Exception {
        try {
            return String.valueOf(EmptyMaster.readReport(connection));
        } catch (SocketTimeoutException error) {
            return "silent";
        }
    }
}
