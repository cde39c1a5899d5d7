package eks_rocketmq;

/** Starts threads of the agent. The JVM does not wait for them when it ends. */
final class Daemon {
    private Daemon() {}

    /** Step that a thread repeats. */
    interface Step {
        void run() throws InterruptedException;
    }

    static Thread start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Starts a thread that runs a step, pauses, and begins again, until it is interrupted. */
    static Thread repeat(String name, long pauseMillis, Step step) {
        return start(name, () -> {
            try {
                while (true) {
                    step.run();
                    Thread.sleep(pauseMillis);
                }
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
