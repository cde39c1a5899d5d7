package eks_rocketmq;

import java.io.File;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.SelectMappedBufferResult;
import org.apache.rocketmq.store.config.BrokerRole;

/**
 * Closes the store of a slave in order while two messages of its log are in no queue yet, and opens it again.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME RESULT}: the number of messages that are at their place in the
 * queue in the end, of three. The second time, the store has the file {@code abort}, as after a crash.
 */
public final class SkippedMessage {
    private static final int MESSAGES = 3;

    private SkippedMessage() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            report("closed", arguments[0], false);
            report("crashed", arguments[0], true);
        });
    }

    private static void report(String name, String file, boolean asAfterCrash) throws Exception {
        String topic = "orders-" + name;
        long[] offsets = new long[MESSAGES];
        DefaultMessageStore store = TestProgram.startStore(file);
        for (int number = 0; number < MESSAGES; number++) {
            offsets[number] = store.putMessage(TestMessage.create(topic))
                    .getAppendMessageResult()
                    .getWroteOffset();
        }
        TestProgram.awaitQueues(store);
        byte[] messages = readLog(store, offsets[1]);
        store.truncateDirtyFiles(offsets[0]); // removes the file of the queue too
        store.putMessage(TestMessage.create(topic));
        TestProgram.awaitQueues(store);
        // As in a slave that has all three, and has heard only of the first one that every member has it.
        store.getMessageStoreConfig().setBrokerRole(BrokerRole.SLAVE);
        store.setConfirmOffset(offsets[1]);
        store.appendToCommitLog(offsets[1], messages, 0, messages.length);
        store.shutdown();
        File abort = new File(store.getMessageStoreConfig().getStorePathRootDir(), "abort");
        if (asAfterCrash && !abort.createNewFile()) {
            throw new IllegalStateException(abort + " exists");
        }
        store = open(file);
        store.getMessageStoreConfig().setBrokerRole(BrokerRole.SLAVE);
        store.start();
        store.setConfirmOffset(store.getMaxPhyOffset());
        TestProgram.awaitQueues(store);
        int found = 0;
        for (int number = 0; number < MESSAGES; number++) {
            found += store.getCommitLogOffsetInQueue(topic, 0, number) == offsets[number] ? 1 : 0;
        }
        System.out.println(name + " " + found);
        store.shutdown();
    }

    private static DefaultMessageStore open(String file) {
        return (DefaultMessageStore) TestProgram.createBroker(file)
                .getMessageStore();
    }

    private static byte[] readLog(DefaultMessageStore store, long begin) {
        byte[] messages = new byte[(int) (store.getMaxPhyOffset() - begin)];
        SelectMappedBufferResult log = store.getCommitLogData(begin);
        log.getByteBuffer().get(messages);
        log.release();
        return messages;
    }
}
