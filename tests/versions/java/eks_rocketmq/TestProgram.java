package eks_rocketmq;

import org.apache.rocketmq.store.MessageStore;

/** What the programs that start a store share. */
final class TestProgram {
    private TestProgram() {}

    /** Body of a program. */
    interface Body {
        void run() throws Exception;
    }

    /** Runs a program and ends the process. Threads of a store would run on. */
    static void run(Body body) {
        try {
            body.run();
            Runtime.getRuntime().halt(0);
        } catch (Exception error) {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    /** Waits until the queues have every message of the log that they may have. */
    static void awaitQueues(MessageStore store) throws InterruptedException {
        while (store.dispatchBehindBytes() > 0) {
            Thread.sleep(10);
        }
    }
}
