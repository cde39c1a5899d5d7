package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Changes the role of a broker whose queues are being filled from the log.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}: whether the queues were truncated meanwhile, for
 * RocketMQ's own replication and for that of the agent. The broker opens no port.
 */
public final class LateQueues {
    private LateQueues() {}

    public static void main(String[] arguments) throws Exception {
        BrokerController controller = TestProgram.createBroker(arguments[0]);
        MessageStoreConfig config = controller.getMessageStoreConfig();
        report("rocketmq", new AutoSwitchHAService(), new FillingStore(config, true));
        report("agent", createElected(config), new FillingStore(config, true));
        report("agent-incomplete-message", createElected(config), new FillingStore(config, false));
        Runtime.getRuntime().halt(0);
    }

    private static AutoSwitchHAService createElected(MessageStoreConfig config) {
        ConfirmedHAService service = TestProgram.createConfirmed(config);
        service.becomingMaster = true;
        return service;
    }

    private static void report(String name, AutoSwitchHAService service, FillingStore store) throws Exception {
        service.init(store);
        service.truncateInvalidMsg();
        System.out.println(name + " " + (store.truncated ? "truncated" : "untouched"));
    }

    /** Store whose queues lack ten bytes of the log, and get one of them every 200 ms, or none. */
    private static final class FillingStore extends PlainStore {
        private static final long LOG_BYTES = 10;
        private static final long PERIOD_NANOS = 200_000_000L;

        private final boolean filling;
        private final long begin = System.nanoTime();
        private boolean truncated;

        FillingStore(MessageStoreConfig config, boolean filling) throws Exception {
            super(config);
            this.filling = filling;
        }

        @Override
        public long getReputFromOffset() {
            return filling ? Math.min(LOG_BYTES, (System.nanoTime() - begin) / PERIOD_NANOS) : 0;
        }

        @Override
        public long dispatchBehindBytes() {
            return LOG_BYTES - getReputFromOffset();
        }

        @Override
        public void truncateDirtyFiles(long offset) {
            truncated = true;
        }
    }
}
