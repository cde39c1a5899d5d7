package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;

/** Positions of the master's consumers and of its timer, which a slave copies. */
final class MasterPositions {
    private final BrokerController controller;

    MasterPositions(BrokerController controller) {
        this.controller = controller;
    }

    /** Copies all positions. It waits for an answer for 3 s. RocketMQ repeats what has failed within 13 s. */
    void copy() {
        try {
            copyOffsets();
            controller.getSlaveSynchronize().syncTimerCheckPoint(); // logs its errors
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (Exception error) {
            System.out.println("the offsets of the master are not copied yet: " + error);
        }
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
