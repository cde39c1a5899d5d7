package eks_rocketmq;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.function.BooleanSupplier;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;

/** Master with an empty log, for a slave with an empty log. */
final class EmptyMaster {
    private EmptyMaster() {}

    /** Starts a slave and returns the master's end of its connection, after the handshake. */
    static Socket connect(AutoSwitchHAClient slave) throws IOException {
        try (ServerSocket master = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            slave.updateHaMasterAddress("127.0.0.1:" + master.getLocalPort());
            slave.start();
            return accept(master);
        }
    }

    /** Returns the master's end of the next connection, after the handshake. */
    static Socket accept(ServerSocket master) throws IOException {
        Socket connection = master.accept();
        new DataInputStream(connection.getInputStream()).readFully(new byte[AutoSwitchHAClient.HANDSHAKE_HEADER_SIZE]);
        sendHeader(connection, HAConnectionState.HANDSHAKE);
        return connection;
    }

    /** Waits for a slave to report its offset, and returns it. */
    static long readReport(Socket connection) throws IOException {
        DataInputStream reports = new DataInputStream(connection.getInputStream());
        // A slave whose handshake is not answered within 5 s repeats it.
        while (reports.readInt() == HAConnectionState.HANDSHAKE.ordinal()) {
            reports.readFully(new byte[AutoSwitchHAClient.HANDSHAKE_HEADER_SIZE - Integer.BYTES]);
        }
        return reports.readLong();
    }

    /** Sends a header without data. That of the handshake has two offsets less. */
    static void sendHeader(Socket connection, HAConnectionState state) throws IOException {
        DataOutputStream slave = new DataOutputStream(connection.getOutputStream());
        slave.writeInt(state.ordinal());
        slave.writeInt(0); // bytes that follow
        slave.writeLong(0); // end of the log
        slave.writeInt(0); // last epoch
        if (state == HAConnectionState.TRANSFER) {
            slave.writeLong(0); // begin of the epoch
            slave.writeLong(0); // confirmed offset
        }
    }

    /** Slaves that share a store. */
    static final class Slaves {
        private final DefaultMessageStore store;
        private final AutoSwitchHAService service = new AutoSwitchHAService();

        Slaves(String file) throws Exception {
            store = new PlainStore(TestProgram.createBroker(file)
                    .getMessageStoreConfig());
            service.init(store);
        }

        AutoSwitchHAClient createOriginal() throws IOException {
            return new AutoSwitchHAClient(service, store, new EpochFileCache(), 2L);
        }

        AutoSwitchHAClient createConfirmed() throws IOException {
            return createConfirmed(() -> true);
        }

        AutoSwitchHAClient createConfirmed(BooleanSupplier copyFromMaster) throws IOException {
            return new ConfirmedHAClient(service, store, new EpochFileCache(), 2L, copyFromMaster);
        }
    }
}
