package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerConfig;
import io.openmessaging.storage.dledger.MemberState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.apache.rocketmq.remoting.RemotingClient;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Sends asynchronous requests to a controller that accepts connections and is silent, as DLedger does.
 *
 * <p>Prints {@code NAME RESULT}: whether the connection was ended within {@code WAIT_MILLIS}, without and with
 * {@link PeerConnections}.
 */
public final class SilentPeer {
    private static final long WAIT_MILLIS = 12_000;
    private static final long PERIOD_MILLIS = 500;
    private static final long TIMEOUT_MILLIS = 1_000;

    private volatile boolean ended;

    private SilentPeer() {}

    public static void main(String[] arguments) throws Exception {
        SilentPeer rocketmq = new SilentPeer();
        SilentPeer agent = new SilentPeer();
        rocketmq.send(false);
        agent.send(true);
        Thread.sleep(WAIT_MILLIS);
        System.out.println("rocketmq " + (rocketmq.ended ? "ended" : "open"));
        System.out.println("agent " + (agent.ended ? "ended" : "open"));
        Runtime.getRuntime().halt(0);
    }

    private void send(boolean watched) throws Exception {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        new Thread(() -> read(server)).start();
        String address = "127.0.0.1:" + server.getLocalPort();
        RemotingClient client = new NettyRemotingClient(new NettyClientConfig());
        client.start();
        if (watched) {
            DLedgerConfig config = new DLedgerConfig();
            config.setSelfId("n0");
            config.setPeers("n0-127.0.0.1:1;n1-" + address);
            new PeerConnections(new MemberState(config), client).start();
        }
        new Thread(() -> sendForever(client, address)).start();
    }

    /** Reads the first connection until the other side ends it. */
    private void read(ServerSocket server) {
        try (Socket socket = server.accept()) {
            while (socket.getInputStream().read() >= 0) {
                continue;
            }
        } catch (IOException error) {
            System.err.println(error);
        }
        ended = true;
    }

    private static void sendForever(RemotingClient client, String address) {
        while (true) {
            try {
                RemotingCommand request = RemotingCommand.createRequestCommand(1, null);
                client.invokeAsync(address, request, TIMEOUT_MILLIS, response -> {});
                Thread.sleep(PERIOD_MILLIS);
            } catch (Exception error) {
                System.err.println(error);
            }
        }
    }
}
