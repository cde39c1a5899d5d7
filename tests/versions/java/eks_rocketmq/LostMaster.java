package eks_rocketmq;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.remoting.common.RemotingHelper;

/**
 * Connects to an address that does not answer, as a slave does to its lost master, and waits for the attempt's end.
 *
 * <p>Prints {@code NAME MILLISECONDS}, without and with {@link EndedAttempts}.
 */
public final class LostMaster {
    private static final int FULL = 4; // connections that are not accepted; Linux ignores further ones

    private LostMaster() {}

    public static void main(String[] arguments) throws Exception {
        InetSocketAddress address;
        List<SocketChannel> connected = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            address = (InetSocketAddress) server.getLocalSocketAddress();
            for (int number = 0; number < FULL; number++) {
                SocketChannel channel = SocketChannel.open();
                channel.configureBlocking(false);
                channel.connect(address);
                connected.add(channel);
            }
            report("rocketmq", connect(address));
            Thread thread = connect(address);
            EndedAttempts.watch(thread);
            report("agent", thread);
        }
        Runtime.getRuntime().halt(0);
    }

    private static Thread connect(InetSocketAddress address) throws InterruptedException {
        Thread thread = new Thread(() -> RemotingHelper.connect(address));
        thread.start();
        Thread.sleep(500); // it is in the attempt by then
        return thread;
    }

    private static void report(String name, Thread thread) throws InterruptedException {
        long begin = System.nanoTime();
        thread.join();
        System.out.println(name + " " + (System.nanoTime() - begin) / 1_000_000);
    }
}
