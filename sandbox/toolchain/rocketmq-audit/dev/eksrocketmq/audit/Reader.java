package dev.eksrocketmq.audit;

import com.alibaba.fastjson2.JSON;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.impl.CommunicationMode;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.impl.consumer.PullResultExt;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.sysflag.PullSysFlag;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.protocol.header.PullMessageRequestHeader;

/**
 * Reads every queue of topics from one broker, from the lowest offset to the highest, one JSON object a line.
 *
 * <p>It asks the broker's address, not a route, and commits no offset. A consumer group could skip messages.
 */
final class Reader {
    private static final long TIMEOUT_MILLIS = 20_000;
    private static final int BATCH = 32;

    private final MQClientAPIImpl client;
    private final String broker;
    private final BufferedWriter output;

    private Reader(MQClientAPIImpl client, String broker, BufferedWriter output) {
        this.client = client;
        this.broker = broker;
        this.output = output;
    }

    static void read(ReadPlan plan) throws Exception {
        MQClientAPIImpl client = new MQClientAPIImpl(new NettyClientConfig(), null, null, new ClientConfig());
        client.start();
        try (BufferedWriter output = Files.newBufferedWriter(Path.of(plan.output), StandardCharsets.UTF_8)) {
            Reader reader = new Reader(client, plan.broker, output);
            Map<String, TopicConfig> known =
                    client.getAllTopicConfig(plan.broker, TIMEOUT_MILLIS).getTopicConfigTable();
            for (String topic : plan.topics) {
                TopicConfig config = known.get(topic);
                if (config == null) {
                    throw new IllegalStateException("broker " + plan.broker + " has no topic " + topic);
                }
                for (int queue = 0; queue < config.getReadQueueNums(); queue++) {
                    reader.readQueue(topic, queue);
                }
            }
        } finally {
            client.shutdown();
        }
    }

    private void readQueue(String topic, int queue) throws Exception {
        MessageQueue place = new MessageQueue(topic, "", queue);
        long offset = client.getMinOffset(broker, place, TIMEOUT_MILLIS);
        long end = client.getMaxOffset(broker, place, TIMEOUT_MILLIS);
        while (offset < end) {
            PullResultExt found = pull(topic, queue, offset);
            List<MessageExt> messages = decode(found);
            for (int i = 0; i < messages.size(); i++) {
                write(topic, queue, offset + i, messages.get(i));
            }
            // A result that does not advance would otherwise repeat forever.
            if (found.getNextBeginOffset() <= offset) {
                throw new IllegalStateException(
                        place + " has no message at offset " + offset + " of " + end + ": " + found.getPullStatus());
            }
            offset = found.getNextBeginOffset();
        }
    }

    private PullResultExt pull(String topic, int queue, long offset) throws Exception {
        PullMessageRequestHeader header = new PullMessageRequestHeader();
        header.setConsumerGroup(MixAll.TOOLS_CONSUMER_GROUP); // every broker has it
        header.setTopic(topic);
        header.setQueueId(queue);
        header.setQueueOffset(offset);
        header.setMaxMsgNums(BATCH);
        header.setSysFlag(PullSysFlag.buildSysFlag(false, false, true, false));
        header.setCommitOffset(0L);
        header.setSuspendTimeoutMillis(0L);
        header.setSubscription("*");
        header.setSubVersion(0L);
        PullResult found = client.pullMessage(broker, header, TIMEOUT_MILLIS, CommunicationMode.SYNC, null);
        return (PullResultExt) found;
    }

    private static List<MessageExt> decode(PullResultExt found) {
        byte[] bytes = found.getMessageBinary();
        return bytes == null ? List.of() : MessageDecoder.decodes(ByteBuffer.wrap(bytes));
    }

    /**
     * Writes a message that was found at an offset. It has the offset that the broker gave it, which may be another one,
     * and the age at which it was stored: delayed messages and transactions reach their topic later.
     */
    private void write(String topic, int queue, long offset, MessageExt message) throws IOException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", Payload.id(message.getBody()));
        line.put("topic", topic);
        line.put("queue", queue);
        line.put("offset", offset);
        line.put("ageMillis", message.getStoreTimestamp() - message.getBornTimestamp());
        line.put("intact", message.getQueueOffset() == offset && Payload.isIntact(message.getBody()));
        output.write(JSON.toJSONString(line));
        output.write('\n');
    }
}
