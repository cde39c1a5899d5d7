package eks_rocketmq;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashMap;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.DefaultMessageStore;

/**
 * Opens a store with three messages, whose second one has lost the page with the middle or the end of its properties. Only
 * their last byte is on this page. The third one has no properties, and the last byte of their length, 0, begins a page.
 *
 * <p>Argument: {@code broker.conf}. Prints the number of messages that remain: {@code rocketmq-middle COUNT} with
 * RocketMQ's own log and {@code agent-middle COUNT} with that of the agent, the same with {@code -end}, and
 * {@code agent-whole COUNT} before anything is lost.
 */
public final class TornMessage {
    private static final int PAGE = 4096;
    private static final int PAGES = 3; // of the second message
    private static final int FIXED_LENGTH = 91 + "orders".length(); // of a message without body and properties

    private TornMessage() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            DefaultMessageStore store = TestProgram.startStore(arguments[0]);
            long[] ends = new long[3];
            store.putMessage(TestMessage.create("orders"));
            ends[0] = store.getMaxPhyOffset();
            store.putMessage(createLarge(ends[0]));
            ends[1] = store.getMaxPhyOffset();
            store.putMessage(createPlain(ends[1]));
            ends[2] = store.getMaxPhyOffset();
            if (ends[1] % PAGE != 1 || ends[2] % PAGE != 1) {
                throw new IllegalStateException("the messages end at " + Arrays.toString(ends));
            }
            store.setConfirmOffset(store.getMaxPhyOffset());
            TestProgram.awaitQueues(store);
            store.shutdown();
            report("agent-whole", CheckedCommitLog.createBroker(new String[] {"-c", arguments[0]}), ends);

            Path log = Paths.get(store.getMessageStoreConfig().getStorePathCommitLog(), "00000000000000000000");
            byte[] content = Files.readAllBytes(log);
            int last = (int) ends[1] / PAGE * PAGE;
            Files.write(log, erase(content, last - PAGE, last));
            reportBoth("middle", arguments[0], ends);
            Files.write(log, erase(content, last, (int) ends[1]));
            reportBoth("end", arguments[0], ends);
        });
    }

    /** Returns a message with properties that ends with the first byte of a page if it begins at an offset. */
    private static MessageExtBrokerInner createLarge(long begin) {
        MessageExtBrokerInner large = TestMessage.create("orders");
        MessageAccessor.putProperty(large, "note", "");
        int rest = MessageDecoder.messageProperties2String(large.getProperties()).length() + large.getBody().length;
        int length = PAGES * PAGE + countBytesToPage(begin + FIXED_LENGTH + rest);
        MessageAccessor.putProperty(large, "note", new String(new char[length]).replace('\0', 'x'));
        large.setPropertiesString(MessageDecoder.messageProperties2String(large.getProperties()));
        return large;
    }

    /** Returns the number of bytes from an offset to the second byte of a page. */
    private static int countBytesToPage(long offset) {
        return PAGE - (int) (offset % PAGE) + 1;
    }

    /** Returns a message without properties that ends with the first byte of a page if it begins at an offset. */
    private static MessageExtBrokerInner createPlain(long begin) {
        int body = countBytesToPage(begin + FIXED_LENGTH);
        MessageExtBrokerInner plain = TestMessage.create("orders", body);
        MessageAccessor.setProperties(plain, new HashMap<>());
        plain.setPropertiesString(null);
        return plain;
    }

    /** Returns a copy with zeros between two places. */
    private static byte[] erase(byte[] content, int begin, int end) {
        byte[] copy = content.clone();
        Arrays.fill(copy, begin, end, (byte) 0);
        return copy;
    }

    /** Opens the log with RocketMQ first, which changes nothing. */
    private static void reportBoth(String place, String file, long[] ends) throws Exception {
        report("rocketmq-" + place, TestProgram.createBroker(file), ends);
        report("agent-" + place, CheckedCommitLog.createBroker(new String[] {"-c", file}), ends);
    }

    private static void report(String name, BrokerController broker, long[] ends) {
        int messages = 0;
        while (messages < ends.length && ends[messages] <= broker.getMessageStore().getMaxPhyOffset()) {
            messages++;
        }
        System.out.println(name + " " + messages);
    }
}
