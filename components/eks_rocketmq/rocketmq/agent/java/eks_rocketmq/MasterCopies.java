package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.slave.SlaveSynchronize;

/** What a slave copies from its master beside the log: topics, consumer groups, and positions. */
final class MasterCopies {
    private static final long LIMIT_MILLIS = 3000;

    private final BrokerController controller;

    MasterCopies(BrokerController controller) {
        this.controller = controller;
    }

    /**
     * Copies everything, and returns whether that has ended. RocketMQ logs what fails, and repeats it within 13 s.
     *
     * <p>It waits up to 3 s for each answer. A change of the role waits for the caller, so this wait ends earlier.
     */
    boolean copy() {
        SlaveSynchronize copies = controller.getSlaveSynchronize();
        Thread copying = Daemon.start("EksRocketmqMasterCopies", () -> {
            copies.syncAll();
            copies.syncTimerCheckPoint();
        });
        try {
            copying.join(LIMIT_MILLIS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return !copying.isAlive();
    }

    /**
     * Copies the offsets of the consumer groups.
     *
     * <p>RocketMQ logs what it could not copy. The version of the offsets does not tell, because it changes with every
     * 500th commit.
     */
    void copyOffsets() throws Exception {
        String master = controller.getSlaveSynchronize().getMasterAddr();
        controller
                .getConsumerOffsetManager()
                .getOffsetTable()
                .putAll(controller.getBrokerOuterAPI().getAllConsumerOffset(master).getOffsetTable());
    }
}
