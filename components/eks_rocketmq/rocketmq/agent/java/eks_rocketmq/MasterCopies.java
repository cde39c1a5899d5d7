package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;

/** What a slave copies from its master beside the log: topics, consumer groups, and positions. */
final class MasterCopies {
    private final BrokerController controller;

    MasterCopies(BrokerController controller) {
        this.controller = controller;
    }

    /** Copies everything. RocketMQ logs what fails, after 3 s without an answer, and repeats it within 13 s. */
    void copy() {
        controller.getSlaveSynchronize().syncAll();
        controller.getSlaveSynchronize().syncTimerCheckPoint();
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
