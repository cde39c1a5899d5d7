package dev.eksrocketmq.audit;

import com.alibaba.fastjson2.JSON;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Load generator and reader of the fault tests.
 *
 * <p>{@code load FILE} sends until its input says {@code stop} and prints {@code stopped} when no attempt is in flight.
 * Its producers answer transaction checks until the input ends. {@code read FILE} reads topics from one broker.
 * Both files are JSON, see {@link LoadPlan} and {@link ReadPlan}.
 */
public final class Audit {
    private Audit() {}

    public static void main(String[] arguments) throws Exception {
        // RocketMQ's threads do not end by themselves after an error of the main thread.
        try {
            run(arguments);
        } catch (Throwable error) {
            error.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    private static void run(String[] arguments) throws Exception {
        if (arguments.length != 2) {
            throw new IllegalArgumentException("expected: load FILE, or read FILE");
        }
        String plan = new String(Files.readAllBytes(Path.of(arguments[1])), StandardCharsets.UTF_8);
        switch (arguments[0]) {
            case "load":
                load(JSON.parseObject(plan, LoadPlan.class));
                break;
            case "read":
                Reader.read(JSON.parseObject(plan, ReadPlan.class));
                break;
            default:
                throw new IllegalArgumentException("unknown command " + arguments[0]);
        }
    }

    private static void load(LoadPlan plan) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Ledger ledger = new Ledger(Path.of(plan.ledger))) {
            List<Workload> workloads = new ArrayList<>();
            for (LoadPlan.WorkloadPlan each : plan.workloads) {
                workloads.add(new Workload(plan, each, ledger));
            }
            for (Workload each : workloads) {
                each.start();
            }
            waitForStop(input);
            for (Workload each : workloads) {
                each.stop();
            }
            for (Workload each : workloads) {
                each.join();
            }
            System.out.println("stopped");
            System.out.flush();
            while (input.readLine() != null) {
                continue;
            }
            for (Workload each : workloads) {
                each.shutdown();
            }
        }
    }

    private static void waitForStop(BufferedReader input) throws IOException {
        String line = input.readLine();
        while (line != null && !line.equals("stop")) {
            line = input.readLine();
        }
    }
}
