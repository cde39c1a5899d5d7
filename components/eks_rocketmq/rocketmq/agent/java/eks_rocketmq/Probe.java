package eks_rocketmq;

/** What the kubelet asks a role. Each method returns null, or why the probe fails. */
interface Probe {
    /** Whether the process has started and answers requests. */
    String checkStarted();

    /** Whether the process works. A slow process does; a restart would make it slower. */
    String checkAlive();

    /** Whether the role does its work, so that another member may stop. */
    String checkReady();

    /**
     * Called before the JVM is halted. A thread that waits for a volume outlives that, and with it all connections of the
     * process, by which others would take it for alive.
     */
    default void abandon() {}
}
