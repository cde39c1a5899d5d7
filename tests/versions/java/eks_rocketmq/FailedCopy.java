package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.processor.AdminBrokerProcessor;
import org.apache.rocketmq.remoting.netty.NettyRemotingServer;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.ha.HAConnectionState;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAClient;

/**
 * Asks a slave to copy topics, consumer groups and offsets from a master that refuses some requests.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT} for each refused request: {@code failed} and the cause, or
 * the offset that the slave has. The brokers open no port; servers answer in the name of the master.
 *
 * <p>{@code ended COUNT} and {@code running COUNT} say how often a slave copies that connects twice, if its first copy has
 * ended, or still runs.
 */
public final class FailedCopy {
    private static final long OFFSET = 42;

    private FailedCopy() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            report(arguments, "none", 0, 0);
            report(arguments, "topics", RequestCode.GET_ALL_TOPIC_CONFIG, Integer.MAX_VALUE);
            report(arguments, "groups", RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, Integer.MAX_VALUE);
            report(arguments, "offsets", RequestCode.GET_ALL_CONSUMER_OFFSET, Integer.MAX_VALUE);
            report(arguments, "offsets-once", RequestCode.GET_ALL_CONSUMER_OFFSET, 1);
            EmptyMaster.Slaves slaves = new EmptyMaster.Slaves(arguments[0]);
            System.out.println("ended " + countCopies(slaves, true));
            System.out.println("running " + countCopies(slaves, false));
        });
    }

    private static int countCopies(EmptyMaster.Slaves slaves, boolean ended) throws Exception {
        AtomicInteger copies = new AtomicInteger();
        AutoSwitchHAClient slave = slaves.createConfirmed(() -> {
            copies.incrementAndGet();
            return ended;
        });
        for (int connection = 0; connection < 2; connection++) {
            slave.changeCurrentState(HAConnectionState.HANDSHAKE);
            slave.changeCurrentState(HAConnectionState.TRANSFER);
        }
        return copies.get();
    }

    private static void report(String[] arguments, String name, int code, int times) throws Exception {
        BrokerController master = createBroker(arguments);
        master.getConsumerOffsetManager().commitOffset("test", "group", "topic", 0, OFFSET);
        int port = master.getNettyServerConfig().getListenPort();
        RefusingMaster processor = new RefusingMaster(new AdminBrokerProcessor(master), code, times);
        List<NettyRemotingServer> servers = AnsweringServer.startMaster(port, processor);
        BrokerController slave = createBroker(arguments);
        slave.getBrokerOuterAPI().start();
        slave.getSlaveSynchronize().setMasterAddr("127.0.0.1:" + port);
        System.out.println(name + " " + copy(slave));
        servers.forEach(NettyRemotingServer::shutdown);
    }

    private static BrokerController createBroker(String[] arguments) {
        BrokerController broker = TestProgram.createBroker(arguments[0]);
        broker.getConsumerOffsetManager().getOffsetTable().clear(); // that of the slave before
        return broker;
    }

    private static String copy(BrokerController slave) {
        try {
            String missing = new BrokerProbe(slave, 2).copyMetadata(slave.getBrokerOuterAPI());
            long offset = slave.getConsumerOffsetManager().queryOffset("group", "topic", 0);
            return missing == null ? String.valueOf(offset) : "failed " + missing;
        } catch (Exception error) {
            return "failed " + error;
        }
    }

    /** Refuses the first requests of one code. */
    private static final class RefusingMaster implements NettyRequestProcessor {
        private final AdminBrokerProcessor processor;
        private final int code;
        private int times;

        RefusingMaster(AdminBrokerProcessor processor, int code, int times) {
            this.processor = processor;
            this.code = code;
            this.times = times;
        }

        @Override
        public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request) throws Exception {
            if (request.getCode() == code && times-- > 0) {
                return RemotingCommand.createResponseCommand(ResponseCode.SYSTEM_ERROR, "refused");
            }
            return processor.processRequest(context, request);
        }

        @Override
        public boolean rejectRequest() {
            return false;
        }
    }
}
