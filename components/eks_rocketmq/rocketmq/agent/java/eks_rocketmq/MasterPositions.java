package eks_rocketmq;

import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.MixAll;

/** Positions of the master's consumers and of its delayed messages, which a slave copies. */
final class MasterPositions {
    private final BrokerController controller;

    MasterPositions(BrokerController controller) {
        this.controller = controller;
    }

    /** Copies all positions. It waits for an answer for 3 s. RocketMQ repeats what has failed within 13 s. */
    void copy() {
        try {
            copyOffsets();
            copyDelayOffsets();
            controller.getSlaveSynchronize().syncTimerCheckPoint(); // logs its errors
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (Exception error) {
            System.out.println("the offsets of the master are not copied yet: " + error);
        }
    }

    /** Copies the positions in the queues of the delay levels. A new master reads them from the file. */
    private void copyDelayOffsets() throws Exception {
        String offsets = controller
                .getBrokerOuterAPI()
                .getAllDelayOffset(controller.getSlaveSynchronize().getMasterAddr());
        MixAll.string2File(offsets, controller.getScheduleMessageService().configFilePath());
        controller.getScheduleMessageService().loadWhenSyncDelayOffset();
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
