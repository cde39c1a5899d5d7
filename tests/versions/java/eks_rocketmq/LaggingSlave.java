package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.concurrent.Executors;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.schedule.DelayOffsetSerializeWrapper;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.BrokerRole;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAConnection;
import org.apache.rocketmq.store.ha.autoswitch.AutoSwitchHAService;

/**
 * Delivers a delayed message on a master whose slave in sync does not have the delivery yet.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME POSITION}, the number of delivered messages that the slave would
 * copy, for RocketMQ's own processor and for that of the agent: before the delivery ({@code -before}), before the slave
 * has it, the same while the master becomes a slave ({@code -demoted}) or a slave becomes the master ({@code -elected}),
 * and when the slave has it ({@code -replicated}).
 */
public final class LaggingSlave {
    private static final long MASTER = 1;
    private static final long SLAVE = 2;
    private static final int LEVEL = 2; // 5 s

    private LaggingSlave() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> run(TestProgram.createBroker(arguments[0])));
    }

    private static void run(BrokerController controller) throws Exception {
        controller.getBrokerConfig().setBrokerId(MixAll.MASTER_ID);
        NettyRequestProcessor own =
                controller.getRemotingServer().getDefaultProcessorPair().getObject1();
        ChangingRole changing = new ChangingRole(own, controller.getMessageStoreConfig());
        controller
                .getRemotingServer()
                .registerDefaultProcessor(changing, Executors.newSingleThreadExecutor());
        ConfirmedPositions.install(controller);
        NettyRequestProcessor agent = controller
                .getRemotingServer()
                .getProcessorPair(RequestCode.GET_ALL_DELAY_OFFSET)
                .getObject1();
        DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
        store.start();
        store.getRunningFlags().makeFenced(false);
        AutoSwitchHAService service = (AutoSwitchHAService) store.getHaService();
        service.setLocalBrokerId(MASTER);
        TestProgram.withConnection(channel -> {
            AutoSwitchHAConnection slave = TestProgram.connect(service, channel, SLAVE);
            service.setSyncStateSet(new HashSet<>(Arrays.asList(MASTER, SLAVE)));
            MessageExtBrokerInner message = TestMessage.create("orders");
            message.setDelayTimeLevel(LEVEL);
            message.setWaitStoreMsgOK(false);
            store.putMessage(message);
            replicate(service, slave, store);
            controller.getScheduleMessageService().start();
            awaitPosition(own, "0");
            System.out.println("agent-before " + askPosition(agent));

            awaitPosition(own, "1");
            System.out.println("rocketmq " + askPosition(own));
            System.out.println("agent " + askPosition(agent));
            BrokerRole role = controller.getMessageStoreConfig().getBrokerRole();
            changing.next = BrokerRole.SLAVE;
            System.out.println("agent-demoted " + askPosition(agent));
            changing.next = role;
            System.out.println("agent-elected " + askPosition(agent));
            replicate(service, slave, store);
            System.out.println("agent-replicated " + askPosition(agent));
        });
    }

    private static void replicate(
            AutoSwitchHAService service, AutoSwitchHAConnection slave, DefaultMessageStore store) throws Exception {
        TestProgram.acknowledge(slave, store.getMaxPhyOffset());
        service.updateConfirmOffsetWhenSlaveAck(SLAVE);
        TestProgram.awaitQueues(store);
    }

    private static void awaitPosition(NettyRequestProcessor processor, String position) throws Exception {
        while (!askPosition(processor).equals(position)) {
            Thread.sleep(10);
        }
    }

    /** Changes the role of the broker after it has read the positions. */
    private static final class ChangingRole implements NettyRequestProcessor {
        private final NettyRequestProcessor processor;
        private final MessageStoreConfig config;
        private BrokerRole next;

        ChangingRole(NettyRequestProcessor processor, MessageStoreConfig config) {
            this.processor = processor;
            this.config = config;
            this.next = config.getBrokerRole();
        }

        @Override
        public RemotingCommand processRequest(ChannelHandlerContext context, RemotingCommand request) throws Exception {
            RemotingCommand response = processor.processRequest(context, request);
            config.setBrokerRole(next);
            return response;
        }

        @Override
        public boolean rejectRequest() {
            return processor.rejectRequest();
        }
    }

    private static String askPosition(NettyRequestProcessor processor) throws Exception {
        RemotingCommand request = RemotingCommand.createRequestCommand(RequestCode.GET_ALL_DELAY_OFFSET, null);
        RemotingCommand response = TestRequest.process(processor, request);
        if (response.getCode() != ResponseCode.SUCCESS) {
            return "refused";
        }
        String body = new String(response.getBody(), StandardCharsets.UTF_8);
        return String.valueOf(DelayOffsetSerializeWrapper.fromJson(body, DelayOffsetSerializeWrapper.class)
                .getOffsetTable()
                .get(LEVEL));
    }
}
