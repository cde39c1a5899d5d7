package eks_rocketmq;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeaderV2;

/** Requests of a test, as a processor of a broker gets them. */
final class TestRequest {
    private TestRequest() {}

    /** Returns the request of a producer that sends a message to the first queue of a topic. */
    static RemotingCommand createSend(String topic, String properties) {
        SendMessageRequestHeader header = new SendMessageRequestHeader();
        header.setProducerGroup("producer");
        header.setTopic(topic);
        header.setDefaultTopic("TBW102");
        header.setDefaultTopicQueueNums(1);
        header.setQueueId(0);
        header.setSysFlag(0);
        header.setBornTimestamp(System.currentTimeMillis());
        header.setFlag(0);
        header.setProperties(properties);
        RemotingCommand request = RemotingCommand.createRequestCommand(
                RequestCode.SEND_MESSAGE_V2, SendMessageRequestHeaderV2.createSendMessageRequestHeaderV2(header));
        request.setBody(new byte[] {1});
        request.makeCustomHeaderToNet();
        return request;
    }

    /** Returns the response of a processor to a request of a client. */
    static RemotingCommand process(NettyRequestProcessor processor, RemotingCommand request) throws Exception {
        EmbeddedChannel channel = new ConnectedChannel();
        ChannelHandlerContext context = channel.pipeline().firstContext();
        RemotingCommand response = processor.processRequest(context, request);
        // Some processors write the response themselves, in another thread.
        for (int i = 0; response == null && i < 500; i++) {
            response = channel.readOutbound();
            Thread.sleep(10);
        }
        return response;
    }

    /** Channel with the address of a client. */
    private static final class ConnectedChannel extends EmbeddedChannel {
        ConnectedChannel() {
            super(new ChannelInboundHandlerAdapter());
        }

        @Override
        protected SocketAddress remoteAddress0() {
            return new InetSocketAddress("127.0.0.1", 1);
        }
    }
}
