package eks_rocketmq;

import java.net.Socket;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;

/**
 * Sends data to a slave that ends its connection to this master, as each change of its role does.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME MILLISECONDS}, the time until the connection has ended, for
 * RocketMQ's own client and for that of the agent.
 */
public final class LateData {
    private LateData() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            EmptyMaster.Slaves slaves = new EmptyMaster.Slaves(arguments[0]);
            report("rocketmq", slaves.createOriginal());
            report("agent", slaves.createConfirmed());
        });
    }

    private static void report(String name, AutoSwitchHAClient slave) throws Exception {
        try (Socket connection = EmptyMaster.connect(slave)) {
            while (slave.getCurrentState() != HAConnectionState.TRANSFER) {
                Thread.sleep(1);
            }
            Thread.sleep(300); // it waits for data by then, for 1 s
            long begin = System.nanoTime();
            Thread change = new Thread(slave::shutdown);
            change.start();
            while (!slave.isStopped()) {
                Thread.sleep(1);
            }
            EmptyMaster.sendHeader(connection, HAConnectionState.TRANSFER);
            change.join();
            System.out.println(name + " " + (System.nanoTime() - begin) / 1_000_000);
        }
    }
}
