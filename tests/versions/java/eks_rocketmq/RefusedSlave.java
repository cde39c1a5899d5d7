package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
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
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;
import org.apache.rocketmq.store.ha.autoswitch.EpochFileCache;

/**
 * Proposes slave 2 to controllers that refuse it or do not answer, as the master of the in-sync set 1 and 3.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME MEMBERS}, the members that a write waits for, for RocketMQ's own
 * replication and for that of the agent: after a refusal, after no answer, when the controllers name their set again,
 * when they do so late, and after a later change of the set.
 */
public final class RefusedSlave implements NettyRequestProcessor {
    private static final int EPOCH = 5;

    private final AtomicInteger ended = new AtomicInteger();
    private volatile boolean silent;

    private RefusedSlave() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            RefusedSlave controllers = new RefusedSlave();
            NettyRemotingServer server = AnsweringServer.create(0, controllers);
            server.start();
            String address = "127.0.0.1:" + server.localListenPort();
            BrokerController broker = TestProgram.createBroker(arguments[0]);
            broker.getBrokerOuterAPI().start();
            DefaultMessageStore store = (DefaultMessageStore) broker.getMessageStore();
            AutoSwitchHAService original = (AutoSwitchHAService) store.getHaService();
            original.init(store);
            controllers.report(original, broker.getReplicasManager());
            controllers.propose(broker, original, address);
            System.out.println("rocketmq-refused " + format(original));

            ConfirmedHAService.install(broker);
            AutoSwitchHAService confirmed = (AutoSwitchHAService) store.getHaService();
            confirmed.init(store);
            controllers.report(confirmed, broker.getReplicasManager());
            controllers.propose(broker, confirmed, address);
            System.out.println("agent-refused " + format(confirmed));
            controllers.silent = true;
            controllers.propose(broker, confirmed, address);
            System.out.println("agent-unanswered " + format(confirmed));
            askForSet(broker, address);
            System.out.println("agent-set-named " + format(confirmed));
            Proposals.lateMillis = 0;
            askForSet(broker, address);
            System.out.println("agent-set-named-late " + format(confirmed));
            Proposals.lateMillis = 60_000;
            controllers.propose(broker, confirmed, address);
            changeSet(broker.getReplicasManager(), EPOCH + 1, 1L, 3L, 4L);
            System.out.println("agent-set-changed " + format(confirmed));
        });
    }

    /** Lets a slave catch up, and waits until RocketMQ has the answer of the controllers, or none. */
    private void propose(BrokerController broker, AutoSwitchHAService service, String address) throws Exception {
        ReplicasManager replicas = broker.getReplicasManager();
        PrivateFields.write(ReplicasManager.class, "controllerLeaderAddress", replicas, address);
        PrivateFields.write(ReplicasManager.class, "brokerControllerId", replicas, 1L);
        PrivateFields.write(ReplicasManager.class, "syncStateSetEpoch", replicas, EPOCH - 1);
        changeSet(replicas, EPOCH, 1L, 3L);
        PrivateFields.<EpochFileCache>read(AutoSwitchHAService.class, "epochCache", service)
                .appendEntry(new EpochEntry(1, 0));
        int before = ended.get();
        service.maybeExpandInSyncStateSet(2L, 0);
        while (ended.get() == before) {
            Thread.sleep(1);
        }
    }

    /** Lets RocketMQ propose each set, as at its start. */
    private void report(AutoSwitchHAService service, ReplicasManager replicas) throws Exception {
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
            return silent ? null : RemotingCommand.createResponseCommand(ResponseCode.CONTROLLER_BROKER_NOT_ALIVE, null);
        }
        RemotingCommand response = RemotingCommand.createResponseCommand(GetReplicaInfoResponseHeader.class);
        response.setCode(ResponseCode.SUCCESS);
        response.setBody(new SyncStateSet(new HashSet<>(Arrays.asList(1L, 3L)), EPOCH).encode());
        return response;
    }

    @Override
    public boolean rejectRequest() {
        return false;
    }
}
