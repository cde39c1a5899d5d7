package eks_rocketmq;

import java.util.function.Function;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Sends the role one request over loopback, which it answers from memory. */
class RequestProbe implements Probe {
    private static final int CONNECT_MILLIS = 3000;
    private static final long ANSWER_MILLIS = 4000; // two failed probes of a broker must fit into 15 s
    private static final long PATIENCE_MILLIS = 300_000; // how long a slow process may be without an answer

    private final String address;
    private final int code;
    private final Function<RemotingCommand, String> ready;
    private final Requests requests;
    private volatile long unansweredSince;

    /**
     * @param port port of the role.
     * @param code code of the request.
     * @param ready returns null if the response shows that the role is ready, or why it is not.
     */
    RequestProbe(int port, int code, Function<RemotingCommand, String> ready) {
        this.address = "127.0.0.1:" + port;
        this.code = code;
        this.ready = ready;
        this.requests = Requests.create(CONNECT_MILLIS, ANSWER_MILLIS);
    }

    static String isAccepted(RemotingCommand response) {
        return response.getCode() == 0 ? null : "the answer is " + response.getCode() + ": " + response.getRemark();
    }

    static String namesLeader(RemotingCommand response) {
        String leader = response.getExtFields() == null ? null : response.getExtFields().get("controllerLeaderId");
        return leader == null || leader.isEmpty() ? "the controller knows no leader" : null;
    }

    @Override
    public String checkStarted() {
        return ask() == null ? address + " does not answer" : null;
    }

    @Override
    public String checkAlive() {
        ThreadTimes before = ThreadTimes.read();
        long start = System.nanoTime();
        if (ask() != null) {
            unansweredSince = 0;
            return null;
        }
        long passed = (System.nanoTime() - start) / 1_000_000;
        String usage = ThreadTimes.read().describeSince(before, passed);
        String reason = "no answer from " + address + " within " + passed + " ms; " + usage;
        // A refused connection is no hung process: it arrives at once.
        if (passed >= ANSWER_MILLIS / 2 && !ThreadTimes.read().isSlowSince(before, passed)) {
            return "hung: " + reason;
        }
        if (unansweredSince == 0) {
            unansweredSince = start;
            System.out.println("slow: " + reason); // the kubelet drops the output of a probe that succeeds
        }
        boolean patient = (start - unansweredSince) / 1_000_000 <= PATIENCE_MILLIS;
        return patient ? null : "slow for more than " + PATIENCE_MILLIS / 1000 + " s: " + reason;
    }

    @Override
    public String checkReady() {
        RemotingCommand response = ask();
        return response == null ? address + " does not answer" : ready.apply(response);
    }

    /** Sends the request of the probe. Returns the response, or null if none arrives in time. */
    private RemotingCommand ask() {
        return ask(address, RemotingCommand.createRequestCommand(code, null));
    }

    /** Sends a request to a process. Returns the response, or null if none arrives in time. */
    final RemotingCommand ask(String address, RemotingCommand request) {
        return requests.send(address, request);
    }
}
