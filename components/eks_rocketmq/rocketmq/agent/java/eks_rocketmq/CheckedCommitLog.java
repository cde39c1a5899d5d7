package eks_rocketmq;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import org.apache.rocketmq.broker.BrokerController;
import org.apache.rocketmq.broker.BrokerStartup;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.store.CommitLog;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.DispatchRequest;
import org.apache.rocketmq.store.ha.HAService;
import org.apache.rocketmq.store.kv.CompactionService;
import org.apache.rocketmq.store.logfile.MappedFile;

/**
 * Commit log whose recovery ends at a message that lacks a page behind its body, and which erases truncated messages.
 *
 * <p>The pages of a log reach the disk in any order, so a loss of power can leave zeros in the middle of a message.
 * RocketMQ compares the checksum of the body only. If the zeros are in the properties, it keeps the message and
 * replicates what follows: the member then differs from the others, and as master gives consumers a message without its
 * tags, its delay or the topic to which it belongs. With {@code forceVerifyPropCRC}, RocketMQ removes every message that
 * was stored without this setting.
 *
 * <p>RocketMQ truncates a log by setting its end. The messages behind it stay in the file, and the next recovery finds
 * them again if the log then ends where one of them begins. A former master that was cut off then had its own messages
 * behind those of the next master, and counted as in sync.
 */
final class CheckedCommitLog extends CommitLog {
    private static final int PAGE = 4096;
    private static final int SYS_FLAG_POSITION = 36;
    private static final int FIXED_LENGTH = 72; // from the total size to the length of the body, without the two hosts
    private static final int EMPTY_BYTES = 64 * 1024 * 1024; // more than is written between two flushes
    private static final int HOST = 8; // address and port
    private static final int HOST_V6 = 20;
    private static final int PROPERTIES_LENGTH = 2; // bytes, which are 0 at the end of a message without properties

    private final DefaultMessageStore store;

    private CheckedCommitLog(DefaultMessageStore store) {
        super(store);
        this.store = store;
    }

    /** Returns a broker as {@link BrokerStartup#createBrokerController}, which has recovered this log. */
    static BrokerController createBroker(String[] arguments) throws Exception {
        BrokerController controller = build(arguments);
        if (!controller.initializeMetadata() || !controller.initializeMessageStore()) {
            throw new IllegalStateException("the broker cannot create its store");
        }
        DefaultMessageStore store = (DefaultMessageStore) controller.getMessageStore();
        CheckedCommitLog log = new CheckedCommitLog(store);
        PrivateFields.write(DefaultMessageStore.class, "commitLog", store, log);
        CompactionService compaction = PrivateFields.read(DefaultMessageStore.class, "compactionService", store);
        if (compaction != null) {
            PrivateFields.write(CompactionService.class, "commitLog", compaction, log);
        }
        if (!controller.recoverAndInitService()) {
            throw new IllegalStateException("the broker cannot recover its store");
        }
        log.eraseBehind(log.getMaxOffset());
        Runtime.getRuntime().addShutdownHook(new Thread(BrokerStartup.buildShutdownHook(controller)));
        return controller;
    }

    /** Since 5.4.0, the command line is parsed by a method of its own. */
    private static BrokerController build(String[] arguments) throws ReflectiveOperationException {
        for (Method method : BrokerStartup.class.getMethods()) {
            if (method.getName().equals("buildBrokerController")) {
                Object given = arguments;
                if (method.getParameterTypes()[0] != String[].class) {
                    given = BrokerStartup.class
                            .getMethod("parseCmdLine", String[].class)
                            .invoke(null, given);
                }
                return (BrokerController) method.invoke(null, given);
            }
        }
        throw new NoSuchMethodException("BrokerStartup.buildBrokerController");
    }

    /** Returns the offset up to which the queues may have the log. */
    @Override
    public long getConfirmOffset() {
        HAService replication = store.getHaService();
        return replication instanceof ConfirmedHAService
                ? ((ConfirmedHAService) replication).limitToProposals(super::getConfirmOffset)
                : super.getConfirmOffset();
    }

    @Override
    public void truncateDirtyFiles(long end) {
        super.truncateDirtyFiles(end);
        eraseBehind(end);
    }

    /** Overwrites the data behind the end of the log in its file. It ends at a long part without data. */
    private void eraseBehind(long end) {
        MappedFile file = getMappedFileQueue().findMappedFileByOffset(end);
        if (file == null) {
            return; // the log is empty, or ends with its file
        }
        ByteBuffer content = file.sliceByteBuffer();
        boolean erased = false;
        int last = (int) (end - file.getFileFromOffset());
        for (int at = last; at < content.capacity() && at - last < EMPTY_BYTES; at = (at / PAGE + 1) * PAGE) {
            int next = Math.min((at / PAGE + 1) * PAGE, content.capacity());
            if (!isZero(content, at, next)) {
                for (int position = at; position < next; position++) {
                    content.put(position, (byte) 0);
                }
                last = next;
                erased = true;
            }
        }
        if (erased) {
            file.getMappedByteBuffer().force();
        }
    }

    @Override
    public DispatchRequest checkMessageAndReturnSize(
            ByteBuffer log, boolean checkCrc, boolean checkDupInfo, boolean readBody) {
        int begin = log.position();
        DispatchRequest message = super.checkMessageAndReturnSize(log, checkCrc, checkDupInfo, readBody);
        int end = begin + message.getMsgSize() - (message.getPropertiesMap() == null ? PROPERTIES_LENGTH : 0);
        if (checkCrc && message.isSuccess() && lacksPage(log, begin, end)) {
            return new DispatchRequest(-1, false);
        }
        return message;
    }

    /** Returns whether all bytes of a message from the start of a page to its end, or to the next page, are zeros. */
    private static boolean lacksPage(ByteBuffer log, int begin, int end) {
        if (end - end % PAGE <= begin) {
            return false; // most messages are in one page
        }
        int flag = log.getInt(begin + SYS_FLAG_POSITION);
        int hosts = ((flag & MessageSysFlag.BORNHOST_V6_FLAG) == 0 ? HOST : HOST_V6)
                + ((flag & MessageSysFlag.STOREHOSTADDRESS_V6_FLAG) == 0 ? HOST : HOST_V6);
        int body = begin + FIXED_LENGTH + hosts;
        int bodyEnd = body + log.getInt(body - Integer.BYTES);
        for (int at = (bodyEnd + PAGE - 1) / PAGE * PAGE; at < end; at += PAGE) {
            if (isZero(log, at, Math.min(at + PAGE, end))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isZero(ByteBuffer log, int begin, int end) {
        int position = begin;
        for (; position <= end - Long.BYTES; position += Long.BYTES) {
            if (log.getLong(position) != 0) {
                return false;
            }
        }
        for (; position < end; position++) {
            if (log.get(position) != 0) {
                return false;
            }
        }
        return true;
    }
}
