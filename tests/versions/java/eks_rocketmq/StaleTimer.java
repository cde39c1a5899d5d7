package eks_rocketmq;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.controller.ReplicasManager;
import org.apache.rocketmq.broker.processor.AdminBrokerProcessor;
import org.apache.rocketmq.broker.schedule.ScheduleMessageService;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Makes a broker the slave of a master whose timer and delay level are at other positions, and which has a topic.
 *
 * <p>Argument: {@code broker.conf}. Prints, for RocketMQ's own replication and for that of the agent: {@code NAME POSITION}
 * and {@code NAME-level POSITION}, the positions that the slave has when it reports its offset for the first time, from
 * when on it can be elected; {@code NAME-topic HAS}, whether it has the topic then; and {@code NAME-master WHICH}, the
 * master that it copies from after a name server has named the former one.
 */
public final class StaleTimer {
    private static final long POSITION = 42_000;
    private static final String TOPIC = "orders";

    private StaleTimer() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            BrokerController master = TestProgram.createBroker(arguments[0]);
            master.getTimerCheckpoint().setLastReadTimeMs(POSITION);
            setLevel(master, POSITION);
            master.getTopicConfigManager().getTopicConfigTable().put(TOPIC, new TopicConfig(TOPIC));
            master.getTopicConfigManager().updateDataVersion();
            int port = master.getNettyServerConfig().getListenPort();
            AnsweringServer.startMaster(port, new AdminBrokerProcessor(master));
            report("rocketmq", TestProgram.createBroker(arguments[0]), port);
            BrokerController slave = TestProgram.createBroker(arguments[0]);
            ConfirmedHAService.install(slave);
            report("agent", slave, port);
        });
    }

    private static void report(String name, BrokerController slave, int port) throws Exception {
        slave.getTimerCheckpoint().setLastReadTimeMs(0);
        setLevel(slave, 0);
        slave.getBrokerOuterAPI().start();
        int replicationPort = slave.getMessageStoreConfig().getHaListenPort();
        try (ServerSocket replication = new ServerSocket(replicationPort, 50, InetAddress.getLoopbackAddress())) {
            AutoSwitchHAService service = (AutoSwitchHAService) slave.getMessageStore().getHaService();
            service.init((DefaultMessageStore) slave.getMessageStore());
            PrivateFields.write(ReplicasManager.class, "brokerControllerId", slave.getReplicasManager(), 2L);
            slave.getReplicasManager().changeToSlave("127.0.0.1:" + port, 1, 1L);
            slave.getSlaveSynchronize().setMasterAddr("127.0.0.1:1");
            boolean stale = "127.0.0.1:1".equals(slave.getSlaveSynchronize().getMasterAddr());
            System.out.println(name + "-master " + (stale ? "former" : "named"));
            service.updateHaMasterAddress("127.0.0.1:" + replicationPort); // a name server would answer that
            try (Socket connection = EmptyMaster.accept(replication)) {
                EmptyMaster.readReport(connection);
                System.out.println(name + " " + slave.getTimerCheckpoint().getLastReadTimeMs());
                System.out.println(name + "-level " + readLevels(slave).get(1));
                boolean has = slave.getTopicConfigManager().selectTopicConfig(TOPIC) != null;
                System.out.println(name + "-topic " + has);
            }
        }
    }

    private static void setLevel(BrokerController broker, long position) throws Exception {
        readLevels(broker).put(1, position);
        broker.getScheduleMessageService().persist();
    }

    private static Map<Integer, Long> readLevels(BrokerController broker) throws Exception {
        return PrivateFields.read(ScheduleMessageService.class, "offsetTable", broker.getScheduleMessageService());
    }
}
