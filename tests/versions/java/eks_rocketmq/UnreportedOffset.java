package eks_rocketmq;

import java.io.DataInputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.apache.rocketmq.store.ha.HAConnectionState;
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
            System.out.println(name + " " + readReport(new DataInputStream(connection.getInputStream())));
        }
    }

    private static String readReport(DataInputStream reports) throws Exception {
        try {
            // A slave whose handshake is not answered within 5 s repeats it.
            while (reports.readInt() == HAConnectionState.HANDSHAKE.ordinal()) {
                reports.readFully(new byte[AutoSwitchHAClient.HANDSHAKE_HEADER_SIZE - Integer.BYTES]);
            }
            return String.valueOf(reports.readLong());
        } catch (SocketTimeoutException error) {
            return "silent";
        }
    }
}
