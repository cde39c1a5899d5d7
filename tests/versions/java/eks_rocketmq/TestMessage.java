package eks_rocketmq;

import java.net.InetSocketAddress;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;

/** Messages of a test, as a store gets them. */
final class TestMessage {
    private static final InetSocketAddress HOST = new InetSocketAddress("127.0.0.1", 1);

    private TestMessage() {}

    /** Returns a message of one byte for the first queue of a topic. */
    static MessageExtBrokerInner create(String topic) {
        return create(topic, 1);
    }

    /** Returns a message with a length in bytes for the first queue of a topic. */
    static MessageExtBrokerInner create(String topic, int length) {
        MessageExtBrokerInner message = new MessageExtBrokerInner();
        message.setTopic(topic);
        message.setBody(new byte[length]);
        message.setBornTimestamp(System.currentTimeMillis());
        message.setBornHost(HOST);
        message.setStoreHost(HOST);
        MessageAccessor.putProperty(message, MessageConst.PROPERTY_PRODUCER_GROUP, topic);
        message.setPropertiesString(MessageDecoder.messageProperties2String(message.getProperties()));
        return message;
    }
}
