package eks_rocketmq;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.io.HAWriter;

/**
 * Reports to a master from a slave whose log ends behind what is on its disk.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}: the offset on the disk when the report is sent, or that
 * none is sent, for RocketMQ's own client and for that of the agent. Then the client that the agent's replication uses.
 * The broker opens no port.
 */
public final class UnflushedLog {
    private static final int REPORT_BYTES = 12;

    private UnflushedLog() {}

    public static void main(String[] arguments) throws Exception {
        MessageStoreConfig config =
                TestProgram.createBroker(arguments[0]).getMessageStoreConfig();
        AutoSwitchHAService service = new AutoSwitchHAService();
        UnflushedStore store = new UnflushedStore(config, true);
        report("rocketmq", new AutoSwitchHAClient(service, store, null, 2L), store);
        report("agent", new ConfirmedHAClient(service, store, null, 2L, () -> true), store);
        UnflushedStore stuck = new UnflushedStore(config, false);
        report("agent-stuck-disk", new ConfirmedHAClient(service, stuck, null, 2L, () -> true), stuck);
        ConfirmedHAService confirmed = TestProgram.createConfirmed(config);
        confirmed.init(store);
        confirmed.changeToSlave("127.0.0.1:1", 1, 2L);
        System.out.println("agent-client " + confirmed.getHAClient().getClass().getSimpleName());
        Runtime.getRuntime().halt(0);
    }

    private static void report(String name, AutoSwitchHAClient client, UnflushedStore store) throws Exception {
        HAWriter writer = PrivateFields.read(AutoSwitchHAClient.class, "haWriter", client);
        TestProgram.withConnection(channel -> {
            String result;
            try {
                writer.write(channel, ByteBuffer.allocate(REPORT_BYTES));
                result = String.valueOf(store.getFlushedWhere());
            } catch (IOException error) {
                result = "not-sent";
            }
            System.out.println(name + " " + result);
        });
    }

    /** Store with a log of ten bytes. Four of them are on the disk, and a flush adds two. */
    private static final class UnflushedStore extends PlainStore {
        private final boolean working;
        private long flushed = 4;

        UnflushedStore(MessageStoreConfig config, boolean working) throws Exception {
            super(config);
            this.working = working;
        }

        @Override
        public long getMaxPhyOffset() {
            return 10;
        }

        @Override
        public long getFlushedWhere() {
            return flushed;
        }

        @Override
        public long flush() {
            flushed += working ? 2 : 0;
            return flushed;
        }
    }
}
