package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.controller.ReplicasManager;
import org.apache.rocketmq.remoting.exception.RemotingSendRequestException;
import org.apache.rocketmq.remoting.netty.NettyRemotingServer;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.EpochEntry;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.body.SyncStateSet;
import org.apache.rocketmq.remoting.protocol.header.controller.GetReplicaInfoResponseHeader;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.DefaultHAService;
import org.apache.rocketmq.store.ha.HAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;

/**
 * Proposes slave 2 to controllers that refuse it or do not answer, as the master of the in-sync set 1 and 3.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME MEMBERS}, the members that a write waits for, for RocketMQ's own
 * replication and for that of the agent: after a refusal, after no answer, when the controllers name their set again,
 * when they do so late, when a probe has read a later set, and after the change to it. {@code NAME MEMBERS/COUNT} has
 * also the number of proposals that were sent since the slave lacked the last byte of the log: while it lacks it, when it
 * has caught up, when it does not catch up, and when it is not connected.
 */
public final class RefusedSlave implements NettyRequestProcessor {
    private static final int EPOCH = 5;

    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicInteger received = new AtomicInteger();
    private volatile boolean silent;
    private volatile int epoch = EPOCH; // of the set that the controllers name

    private RefusedSlave() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            RefusedSlave controllers = new RefusedSlave();
            NettyRemotingServer server = AnsweringServer.create(0, controllers);
            server.start();
            String address = "127.0.0.1:" + server.localListenPort();
            BrokerController broker = TestProgram.createBroker(arguments[0]);
            broker.getBrokerOuterAPI().start();
            PrivateFields.write(
                    ReplicasManager.class, "controllerLeaderAddress", broker.getReplicasManager(), address);
            PrivateFields.write(ReplicasManager.class, "brokerControllerId", broker.getReplicasManager(), 1L);
            DefaultMessageStore store = (DefaultMessageStore) broker.getMessageStore();
            AutoSwitchHAService original = (AutoSwitchHAService) store.getHaService();
            controllers.start(original, broker);
            controllers.propose(broker, original);
            System.out.println("rocketmq-refused " + format(original));

            ConfirmedHAService.install(broker);
            AutoSwitchHAService confirmed = (AutoSwitchHAService) store.getHaService();
            controllers.start(confirmed, broker);
            TestProgram.withConnection(channel -> {
                AutoSwitchHAConnection slave = TestProgram.connect(confirmed, channel, 2);
                TestProgram.acknowledge(slave, 0);
                TestProgram.add(confirmed, channel, 3);
                controllers.reportAnswers(broker, confirmed, address);
                controllers.reportLag(broker, confirmed, slave);
            });
        });
    }

    private void reportAnswers(BrokerController broker, AutoSwitchHAService service, String address) throws Exception {
        propose(broker, service);
        System.out.println("agent-refused " + format(service));
        silent = true;
        propose(broker, service);
        System.out.println("agent-unanswered " + format(service));
        askForSet(broker, address);
        System.out.println("agent-set-named " + format(service));
        Proposals.lateMillis = 0;
        askForSet(broker, address);
        System.out.println("agent-set-named-late " + format(service));
        Proposals.lateMillis = 60_000;
        propose(broker, service);
        epoch = EPOCH + 1;
        askForSet(broker, address);
        System.out.println("agent-set-read " + format(service));
        epoch = EPOCH;
        changeSet(broker.getReplicasManager(), EPOCH + 1, 1L, 3L, 4L);
        System.out.println("agent-set-changed " + format(service));
        silent = false;
    }

    /** Writes a byte after the slave has reported that it has all of the log. */
    private void reportLag(BrokerController broker, AutoSwitchHAService service, AutoSwitchHAConnection slave)
            throws Exception {
        DefaultMessageStore store = (DefaultMessageStore) broker.getMessageStore();
        store.getAllocateMappedFileService().start();
        store.getCommitLog().appendData(0, new byte[1], 0, 1);
        received.set(0);
        int before = ended.get();
        expand(broker.getReplicasManager(), service);
        Thread.sleep(300);
        System.out.println("agent-lagging " + format(service) + "/" + received);
        TestProgram.acknowledge(slave, 1);
        awaitEnd(before);
        System.out.println("agent-caught-up " + format(service) + "/" + received);
        TestProgram.acknowledge(slave, 0);
        propose(broker, service);
        System.out.println("agent-left-behind " + format(service) + "/" + received);
        TestProgram.acknowledge(slave, 1);
        PrivateFields.<List<HAConnection>>read(DefaultHAService.class, "connectionList", service)
                .remove(slave);
        expand(broker.getReplicasManager(), service);
        Thread.sleep(300);
        System.out.println("agent-disconnected " + format(service) + "/" + received);
    }

    /** Lets a slave catch up, and waits until RocketMQ has the answer of the controllers, or none. */
    private void propose(BrokerController broker, AutoSwitchHAService service) throws Exception {
        int before = ended.get();
        expand(broker.getReplicasManager(), service);
        awaitEnd(before);
    }

    private static void expand(ReplicasManager replicas, AutoSwitchHAService service) throws Exception {
        PrivateFields.write(ReplicasManager.class, "syncStateSetEpoch", replicas, EPOCH - 1);
        changeSet(replicas, EPOCH, 1L, 3L);
        service.maybeExpandInSyncStateSet(2L, 1);
    }

    private void awaitEnd(int before) throws InterruptedException {
        while (ended.get() == before) {
            Thread.sleep(1);
        }
    }

    /** Lets RocketMQ propose each set, as at its start. */
    private void start(AutoSwitchHAService service, BrokerController broker) throws Exception {
        service.init((DefaultMessageStore) broker.getMessageStore());
        service.setLocalBrokerId(1L);
        PrivateFields.<EpochFileCache>read(AutoSwitchHAService.class, "epochCache", service)
                .appendEntry(new EpochEntry(1, 0));
        ReplicasManager replicas = broker.getReplicasManager();
        Method report = ReplicasManager.class.getDeclaredMethod("doReportSyncStateSetChanged", Set.class);
        report.setAccessible(true);
        service.registerSyncStateSetChangedListener(set -> {
            try {
                report.invoke(replicas, set);
                ended.incrementAndGet();
            } catch (ReflectiveOperationException error) {
                throw new IllegalStateException(error);
            }
        });
    }

    /**
     * Lets RocketMQ ask the controllers for their set. After a request without an answer RocketMQ closes the connection,
     * and the next request fails if it is sent before that has ended.
     */
    private static void askForSet(BrokerController broker, String address) throws Exception {
        while (true) {
            try {
                broker.getBrokerOuterAPI().getReplicaInfo(address, "broker-a");
                return;
            } catch (RemotingSendRequestException error) {
                Thread.sleep(10);
            }
        }
    }

    private static void changeSet(ReplicasManager replicas, int epoch, Long... members) throws Exception {
        Method change = ReplicasManager.class.getDeclaredMethod("changeSyncStateSet", Set.class, int.class);
        change.setAccessible(true);
        change.invoke(replicas, new HashSet<>(Arrays.asList(members)), epoch);
    }

    private static String format(AutoSwitchHAService service) {
        return new TreeSet<>(service.getSyncStateSet()).toString().replace(" ", "");
    }

    @Override
    public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request) {
        if (request.getCode() == RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET) {
            received.incrementAndGet();
            return silent ? null : RemotingCommand.createResponseCommand(ResponseCode.CONTROLLER_BROKER_NOT_ALIVE, null);
        }
        RemotingCommand response = RemotingCommand.createResponseCommand(GetReplicaInfoResponseHeader.class);
        response.setCode(ResponseCode.SUCCESS);
        response.setBody(new SyncStateSet(new HashSet<>(Arrays.asList(1L, 3L)), epoch).encode());
        return response;
    }

    @Override
    public boolean rejectRequest() {
        return false;
    }
}
