package eks_rocketmq;

import io.openmessaging.storage.dledger.DLedgerConfig;
import io.openmessaging.storage.dledger.DLedgerServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Stops the leader of three logs of DLedger, as the controllers have them, without and with {@link LeadershipTransfer}.
 *
 * <p>Prints {@code NAME LEADERS}: how many of the others lead when the leader has stopped.
 */
public final class StoppedLeader {
    private StoppedLeader() {}

    public static void main(String[] arguments) {
        TestProgram.run(() -> {
            stop("rocketmq", false);
            stop("agent", true);
        });
    }

    private static void stop(String name, boolean transfers) throws Exception {
        List<DLedgerServer> members = start();
        DLedgerServer leader = awaitLeader(members);
        awaitOthers(leader);
        if (transfers) {
            LeadershipTransfer.run(leader);
        }
        leader.shutdown();
        members.remove(leader);
        System.out.println(name + " " + members.stream().filter(StoppedLeader::leads).count());
        members.forEach(DLedgerServer::shutdown);
    }

    private static List<DLedgerServer> start() throws IOException {
        List<Integer> ports = new ArrayList<>();
        for (int index = 0; index < 3; index++) {
            try (ServerSocket socket = new ServerSocket(0)) {
                ports.add(socket.getLocalPort());
            }
        }
        String peers = IntStream.range(0, ports.size())
                .mapToObj(index -> "n" + index + "-127.0.0.1:" + ports.get(index))
                .collect(Collectors.joining(";"));
        List<DLedgerServer> members = new ArrayList<>();
        for (int index = 0; index < ports.size(); index++) {
            DLedgerConfig config = new DLedgerConfig();
            config.setGroup("g");
            config.setSelfId("n" + index);
            config.setPeers(peers);
            config.setStoreType(DLedgerConfig.MEMORY);
            members.add(new DLedgerServer(config));
            members.get(index).startup();
        }
        return members;
    }

    private static DLedgerServer awaitLeader(List<DLedgerServer> members) throws InterruptedException {
        while (true) {
            Optional<DLedgerServer> leader = members.stream().filter(StoppedLeader::leads).findFirst();
            if (leader.isPresent()) {
                return leader.get();
            }
            Thread.sleep(50);
        }
    }

    /** Waits until the leader has heard both others. */
    private static void awaitOthers(DLedgerServer leader) throws InterruptedException {
        Map<String, Boolean> alive = leader.getMemberState().getPeersLiveTable();
        while (alive.size() < 2 || alive.containsValue(false)) {
            Thread.sleep(50);
        }
    }

    private static boolean leads(DLedgerServer member) {
        return member.getMemberState().isLeader();
    }
}
