package eks_rocketmq;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.store.CommitLog;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.kv.CompactionService;

/**
 * Truncates a log of three messages of the same size to the first one, appends the second one, and opens the log again.
 *
 * <p>Argument: {@code broker.conf}. Prints {@code NAME COUNT}, the messages that the log then has, with RocketMQ's own
 * log and with that of the agent: with {@code -truncated} as a slave does that follows another master, with
 * {@code -recovered} after a recovery that ended at a damaged message. {@code agent-compaction} is {@code same} if the
 * service that compacts topics reads the log of the agent.
 */
public final class TruncatedTail {
    private TruncatedTail() {}

    /** Opens the log. */
    private interface Opening {
        BrokerController open() throws Exception;
    }

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            DefaultMessageStore store = TestProgram.startStore(arguments[0]);
            int[] ends = new int[3];
            for (int number = 0; number < ends.length; number++) {
                store.putMessage(TestMessage.create("orders"));
                ends[number] = (int) store.getMaxPhyOffset();
            }
            store.setConfirmOffset(store.getMaxPhyOffset());
            TestProgram.awaitQueues(store);
            store.shutdown();
            Path log = Paths.get(store.getMessageStoreConfig().getStorePathCommitLog(), "00000000000000000000");
            byte[] content = Files.readAllBytes(log);
            report("rocketmq", () -> TestProgram.createBroker(arguments[0]), log, content, ends);
            String[] file = {"-c", arguments[0]};
            report("agent", () -> CheckedCommitLog.createBroker(file), log, content, ends);

            store = (DefaultMessageStore) CheckedCommitLog.createBroker(file).getMessageStore();
            CompactionService compaction = PrivateFields.read(DefaultMessageStore.class, "compactionService", store);
            boolean same = PrivateFields.read(CompactionService.class, "commitLog", compaction) == store.getCommitLog();
            System.out.println("agent-compaction " + (same ? "same" : "other"));
        });
    }

    private static void report(String name, Opening opening, Path file, byte[] content, int[] ends) throws Exception {
        byte[] second = Arrays.copyOfRange(content, ends[0], ends[1]);
        Files.write(file, content);
        CommitLog log = find(opening.open());
        log.truncateDirtyFiles(ends[0]);
        log.appendData(ends[0], second, 0, second.length);
        System.out.println(name + "-truncated " + count(opening, ends));

        byte[] damaged = content.clone();
        Arrays.fill(damaged, ends[0] + Integer.BYTES, ends[0] + 2 * Integer.BYTES, (byte) 1); // no message has this code
        Files.write(file, damaged);
        log = find(opening.open());
        log.appendData(ends[0], second, 0, second.length);
        System.out.println(name + "-recovered " + count(opening, ends));
    }

    private static CommitLog find(BrokerController broker) {
        return ((DefaultMessageStore) broker.getMessageStore()).getCommitLog();
    }

    private static int count(Opening opening, int[] ends) throws Exception {
        long end = opening.open().getMessageStore().getMaxPhyOffset();
        return (int) Arrays.stream(ends).filter(each -> each <= end).count();
    }
}
