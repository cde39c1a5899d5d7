package eks_rocketmq;

import java.io.IOException;
import java.util.Set;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.controller.ReplicasManager;
import org.apache.rocketmq.broker.out.BrokerOuterAPI;
import org.apache.rocketmq.common.Pair;
import org.apache.rocketmq.remoting.protocol.DataVersion;
import org.apache.rocketmq.remoting.protocol.body.SyncStateSet;
import org.apache.rocketmq.remoting.protocol.header.controller.GetMetaDataResponseHeader;
import org.apache.rocketmq.remoting.protocol.header.controller.GetReplicaInfoResponseHeader;
import org.apache.rocketmq.store.ha.HAClient;
import org.apache.rocketmq.store.ha.HAConnectionState;

/** Probes of a broker. They use the broker's own connections, so they need no credentials of their own. */
final class BrokerProbe extends RequestProbe {
    private static final long STORE_MILLIS = 10_000; // how long one write may hold the commit log

    private final BrokerController controller;
    private final int minInSync;
    private final StuckReplication replication = new StuckReplication();
    private final VolumeProbe volume;
    private final MasterCopies copies;
    private volatile int copiedEpoch = -1;

    BrokerProbe(BrokerController controller, int minInSync) {
        super(controller.getNettyServerConfig().getListenPort(), 907, response -> null);
        this.controller = controller;
        this.minInSync = minInSync;
        this.copies = new MasterCopies(controller);
        this.volume = VolumeProbe.start(controller.getMessageStoreConfig().getStorePathRootDir());
    }

    @Override
    public String checkAlive() {
        // Requests for the status are answered from memory, also if the volume hangs.
        long held = controller.getMessageStore().lockTimeMills();
        if (held > STORE_MILLIS) {
            return "hung: a write waits for the volume since " + held + " ms";
        }
        String hung = volume.check();
        return hung == null ? super.checkAlive() : hung;
    }

    /**
     * Leaves the group: the controllers elect another master and the name servers drop the address when the connections
     * to them end, and the master goes on without this slave.
     */
    @Override
    public void abandon() {
        try {
            StuckReplication.disconnect(controller.getMessageStore().getHaService().getHAClient());
        } catch (ReflectiveOperationException | IOException error) {
            System.out.println("the connection to the master stays open: " + error);
        }
        controller.getBrokerOuterAPI().shutdown();
    }

    /**
     * A broker is ready if the controllers count it in sync and it has its role. A master also needs the members that a
     * write needs. A slave also needs the topics, consumer groups and offsets of the master, because after an election
     * without them, consumers would skip messages or get them again.
     */
    @Override
    public String checkReady() {
        ReplicasManager replicas = controller.getReplicasManager();
        Long id = replicas.getBrokerControllerId();
        if (id == null || controller.isIsolated()) {
            return "the broker has no role yet";
        }
        try {
            BrokerOuterAPI api = controller.getBrokerOuterAPI();
            GetMetaDataResponseHeader controllers = findLeader(api, replicas);
            if (controllers == null) {
                return "no controller knows a leader: " + replicas.getControllerAddresses();
            }
            ControllerAddresses.update(controller, controllers.getPeers());
            Pair<GetReplicaInfoResponseHeader, SyncStateSet> state = api.getReplicaInfo(
                    controllers.getControllerLeaderAddress(), controller.getBrokerConfig().getBrokerName());
            Set<Long> inSync = state.getObject2().getSyncStateSet();
            if (inSync == null || !inSync.contains(id)) {
                if (!replicas.isMasterState()) {
                    replication.check(
                            controller.getMessageStore().getHaService().getHAClient(),
                            controller.getMessageStore().getMaxPhyOffset());
                }
                return "the broker is not in sync";
            }
            replication.reset();
            if (id.equals(state.getObject1().getMasterBrokerId())) {
                return checkMaster(replicas, inSync.size());
            }
            return checkSlave(api, replicas, state.getObject1().getMasterEpoch());
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } catch (Exception error) {
            return "no answer from the controllers or the master: " + error.getMessage();
        }
    }

    /** Returns the answer of a controller that knows the leader, or null. */
    private static GetMetaDataResponseHeader findLeader(BrokerOuterAPI api, ReplicasManager replicas)
            throws InterruptedException {
        for (String address : replicas.getControllerAddresses()) {
            try {
                GetMetaDataResponseHeader known = api.getControllerMetaData(address);
                String leader = known.getControllerLeaderAddress();
                if (leader != null && !leader.isEmpty()) {
                    return known;
                }
            } catch (InterruptedException error) {
                throw error;
            } catch (Exception error) {
                continue; // the next one may answer
            }
        }
        return null;
    }

    private String checkMaster(ReplicasManager replicas, int inSync) {
        if (!replicas.isMasterState()) {
            return "elected, but not master yet";
        }
        return inSync >= minInSync ? null : "master with " + inSync + " in sync, but a write needs " + minInSync;
    }

    private String checkSlave(BrokerOuterAPI api, ReplicasManager replicas, int epoch) throws Exception {
        HAClient client = controller.getMessageStore().getHaService().getHAClient();
        if (client == null || client.getCurrentState() != HAConnectionState.TRANSFER) {
            return "not connected to the master";
        }
        if (epoch != replicas.getMasterEpoch()) {
            return "not attached to the master of epoch " + epoch;
        }
        if (copiedEpoch != epoch) {
            String missing = copyMetadata(api);
            if (missing != null) {
                return missing;
            }
            copiedEpoch = epoch;
        }
        return null;
    }

    /**
     * Copies topics, consumer groups and offsets from the master. Returns what is missing, or null.
     *
     * <p>RocketMQ copies them up to 13 s after the broker has its role, and only logs what it could not copy.
     */
    String copyMetadata(BrokerOuterAPI api) throws Exception {
        String master = controller.getSlaveSynchronize().getMasterAddr();
        DataVersion topics = api.getAllTopicConfig(master).getDataVersion();
        Set<String> groups = api.getAllSubscriptionGroupConfig(master)
                .getSubscriptionGroupTable()
                .keySet();
        copies.copy();
        DataVersion copied = controller.getTopicConfigManager().getDataVersion();
        if (copied.getStateVersion() != topics.getStateVersion()
                || copied.getCounter().get() < topics.getCounter().get()) {
            return "the topics of the master are not copied yet";
        }
        // Before RocketMQ 5.5.0, their version changes when they are copied.
        if (!controller
                .getSubscriptionGroupManager()
                .getSubscriptionGroupTable()
                .keySet()
                .containsAll(groups)) {
            return "the consumer groups of the master are not copied yet";
        }
        copies.copyOffsets();
        return null;
    }
}
