package eks_rocketmq;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.apache.rocketmq.broker.BrokerStartup;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;

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
            MessageStoreConfig config = BrokerStartup.createBrokerController(new String[] {"-c", arguments[0]})
                    .getMessageStoreConfig();
            DefaultMessageStore store = new PlainStore(config);
            AutoSwitchHAService service = new AutoSwitchHAService();
            service.init(store);
            report("rocketmq", new AutoSwitchHAClient(service, store, new EpochFileCache(), 2L));
            report("agent", new ConfirmedHAClient(service, store, new EpochFileCache(), 2L));
        });
    }

    private static void report(String name, AutoSwitchHAClient slave) throws Exception {
        try (ServerSocket master = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            slave.updateHaMasterAddress("127.0.0.1:" + master.getLocalPort());
            slave.start();
            try (Socket connection = master.accept()) {
                DataInputStream reports = new DataInputStream(connection.getInputStream());
                reports.readFully(new byte[AutoSwitchHAClient.HANDSHAKE_HEADER_SIZE]);
                sendHandshake(new DataOutputStream(connection.getOutputStream()));
                connection.setSoTimeout(WAIT_MILLIS);
                System.out.println(name + " " + readReport(reports));
            }
        }
    }

    /** Sends the header of a log without epochs. */
    private static void sendHandshake(DataOutputStream slave) throws Exception {
        slave.writeInt(HAConnectionState.HANDSHAKE.ordinal());
        slave.writeInt(0); // bytes of the epochs
        slave.writeLong(0); // end of the log
        slave.writeInt(0); // last epoch
    }

    private static String readReport(DataInputStream reports) throws Exception {
        try {
            reports.readInt(); // state
            return String.valueOf(reports.readLong());
        } catch (SocketTimeoutException error) {
            return "silent";
        }
    }
}
