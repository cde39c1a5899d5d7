"""Pods of the servers: command, security, volumes, environment, placement and shutdown."""

import json

import pytest

from eks_rocketmq.rocketmq.pods.probes import plan_drain
from tests.unit.harness import Recording
from tests.unit.rocketmq_case import (
    SETS,
    WORKLOADS,
    config,
    container,
    deploy,
    group,
    keys,
    pod,
    workload,
)


@pytest.mark.parametrize("name", WORKLOADS)
def test_container_command_runs_the_jvm(deployed: Recording, name: str) -> None:
    main = container(deployed, name)
    launchers = {
        "proxy": ["bash", "/etc/rocketmq/proxy-start.sh"],
        "controller": ["bash", "/etc/rocketmq/controller-start.sh"],
        "broker": ["bash", "/etc/rocketmq/broker-start.sh", "/data/store"],
        "nameserver": [],
    }
    (launcher,) = [launcher for role, launcher in launchers.items() if f"-{role}" in name]
    assert main["command"][: len(launcher) + 1] == [*launcher, "java"]
    assert "args" not in main
    assert main["command"][-2] in {"-c", "-pc"}


def test_shared_process_namespace_reaps_orphaned_processes_of_probes(deployed: Recording) -> None:
    for name in WORKLOADS:
        assert pod(deployed, name)["shareProcessNamespace"] is True, name
        assert "/proc/1/" not in json.dumps(config(deployed, name.rsplit("-", 1)[0] + "-config")), (
            "PID 1 is not the JVM"
        )


def test_jvm_flags_are_valid_on_jdk_8_and_17(deployed: Recording) -> None:
    main = container(deployed)
    assert not [
        flag for flag in main["command"] if flag.startswith(("--add", "-Xlog", "-Xloggc", "-XX:+AlwaysPreTouch"))
    ]
    environment = {variable["name"]: variable.get("value") for variable in main["env"]}
    assert "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED" in environment["JDK_JAVA_OPTIONS"]
    assert environment["ROCKETMQ_HOME"] == "/home/rocketmq/rocketmq-5.5.0"


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_meet_the_restricted_level_and_mount_no_token(deployed: Recording, name: str) -> None:
    spec = pod(deployed, name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 3000,
        "runAsGroup": 3000,
        "fsGroup": 3000,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for one in [*spec["containers"], *spec.get("initContainers", [])]:
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_mount_has_a_volume_and_every_container_has_probes(deployed: Recording, name: str) -> None:
    spec, main = pod(deployed, name), container(deployed, name)
    claims = [claim["metadata"]["name"] for claim in workload(deployed, name).get("volumeClaimTemplates", [])]
    volumes = {volume["name"] for volume in spec["volumes"]} | set(claims)
    assert {mount["name"] for mount in main["volumeMounts"]} == volumes
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(main)


def test_brokers_advertise_the_pod_ip_to_clients_and_slaves(deployed: Recording) -> None:
    broker = keys(deployed)
    assert (broker["brokerIP1"], broker["brokerIP2"]) == ("${POD_IP}", "${POD_IP}")
    (init,) = pod(deployed)["initContainers"]
    assert {variable["name"]: variable["valueFrom"]["fieldRef"]["fieldPath"] for variable in init["env"]} == {
        "POD_IP": "status.podIP",
        "POD_NAME": "metadata.name",
    }
    assert init["command"][-1] == container(deployed)["command"][-1] == "/run/rocketmq/broker.conf"


@pytest.mark.parametrize(
    ("name", "zones"), [("rocketmq-broker-a-set", 3), ("rocketmq-controller-set", 3), ("rocketmq-nameserver-set", None)]
)
def test_members_run_on_different_nodes_and_spread_over_zones(
    deployed: Recording, name: str, zones: int | None
) -> None:
    spec, match = pod(deployed, name), workload(deployed, name)["selector"]
    (spread,) = spec["topologySpreadConstraints"]
    assert spread == {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": match,
        **({} if zones is None else {"minDomains": zones}),
    }
    assert spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": match}
    ]


def test_grace_period_covers_every_step_of_the_drain(deployed: Recording) -> None:
    parts = plan_drain({"registerNameServerPeriod": 10000})
    environment = {variable["name"]: variable.get("value") for variable in container(deployed)["env"]}
    bounds = [int(environment[f"DRAIN_{step}_SECONDS"]) for step in ("LEADER", "REPLICATE", "ELECT", "REJOIN")]
    assert bounds == [parts.leader, parts.replicate, parts.elect, parts.rejoin]
    assert pod(deployed)["terminationGracePeriodSeconds"] >= sum(bounds) + parts.requests + parts.stop
    assert container(deployed)["lifecycle"]["preStop"]["exec"]["command"][-1] == "/etc/rocketmq/broker-drain.sh"


def test_longer_registration_period_extends_the_grace_period() -> None:
    slow = deploy(broker_groups=group(config={"registerNameServerPeriod": 30000}))
    # The drain waits twice for other members.
    assert pod(slow)["terminationGracePeriodSeconds"] == pod(deploy())["terminationGracePeriodSeconds"] + 2 * 20


def test_broker_environment_has_addresses_and_min_in_sync_replicas(deployed: Recording) -> None:
    variables = container(deployed)["env"]
    environment = {variable["name"]: variable.get("value") for variable in variables}
    assert {key: environment[key] for key in ("BROKER", "SELF", "CLUSTER", "GROUP", "MIN_IN_SYNC")} == {
        "BROKER": "127.0.0.1:10911",
        "SELF": "$(POD_IP):10911",
        "CLUSTER": keys(deployed)["brokerClusterName"],
        "GROUP": "broker-a",
        "MIN_IN_SYNC": keys(deployed)["minInSyncReplicas"],
    }
    assert environment["CONTROLLERS"].split(" ") == keys(deployed)["controllerAddr"].split(";")
    names = [variable["name"] for variable in variables]
    # Kubernetes expands $(POD_IP) only if the variable is defined earlier in the list.
    assert names.index("POD_IP") < names.index("SELF")
    assert {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}} in variables


def test_rolling_updates_wait_until_clients_and_brokers_know_a_name_server(deployed: Recording) -> None:
    assert workload(deployed, "rocketmq-nameserver-set")["minReadySeconds"] >= 35
    # A name server without routes rejects client requests, so brokers have to register first.
    ready_after = container(deployed, "rocketmq-nameserver-set")["readinessProbe"]["initialDelaySeconds"]
    assert ready_after * 1000 > int(keys(deployed)["registerNameServerPeriod"])


@pytest.mark.parametrize("name", SETS)
def test_pods_of_a_stateful_set_start_in_parallel(deployed: Recording, name: str) -> None:
    assert workload(deployed, name)["podManagementPolicy"] == "Parallel"


def test_proxy_stops_after_its_replacement_is_ready_and_a_delay(deployed: Recording) -> None:
    spec = workload(deployed, "rocketmq-proxy-deployment")
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    main = container(deployed, "rocketmq-proxy-deployment")
    delay = main["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < delay < pod(deployed, "rocketmq-proxy-deployment")["terminationGracePeriodSeconds"]


@pytest.mark.parametrize(("wait", "grace"), [(None, 35), (0, 35), (120, 130)])
def test_proxies_have_time_for_their_wait_for_clients(wait: int | None, grace: int) -> None:
    recording = deploy(proxies={"config": {} if wait is None else {"grpcShutdownTimeSeconds": wait}})
    assert pod(recording, "rocketmq-proxy-deployment")["terminationGracePeriodSeconds"] == grace


def test_proxies_use_ready_name_servers_and_refresh_routes_every_second(deployed: Recording) -> None:
    settings = json.loads(config(deployed, "rocketmq-proxy-config")["rmq-proxy.json"])
    service = deployed.one("Service", "rocketmq-nameserver-service").inputs
    assert settings["namesrvAddr"] == f"{service['metadata']['name']}.rocketmq.svc:9876"
    assert "publishNotReadyAddresses" not in service["spec"]
    assert settings["topicRouteServiceCacheRefreshSeconds"] == 1
    assert settings["rocketMQClusterName"] == keys(deployed)["brokerClusterName"]
    assert (settings["proxyMode"], settings["grpcServerPort"], settings["remotingListenPort"]) == (
        "cluster",
        8081,
        8080,
    )


@pytest.mark.parametrize("name", WORKLOADS)
def test_jvm_has_its_class_path_and_options(deployed: Recording, without_agent: Recording, name: str) -> None:
    command = container(deployed, name)["command"]
    rocketmq = "$(ROCKETMQ_HOME)/conf:$(ROCKETMQ_HOME)/lib/*"
    assert command[command.index("-cp") + 1] == f"/etc/rocketmq/agent.jar:{rocketmq}"
    command_without_agent = container(without_agent, name)["command"]
    assert command_without_agent[command_without_agent.index("-cp") + 1] == rocketmq
    assert {"-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Dsun.net.inetaddr.ttl=5"} <= set(command)
    assert pod(deployed, name)["enableServiceLinks"] is False
    assert container(deployed, name)["resources"]["requests"]["cpu"]


def test_roles_without_messages_omit_the_optimizing_compiler(deployed: Recording) -> None:
    limited = [name for name in WORKLOADS if "-XX:TieredStopAtLevel=1" in container(deployed, name)["command"]]
    assert limited == ["rocketmq-nameserver-set", "rocketmq-controller-set"]


@pytest.mark.parametrize(("settings", "message"), [({}, 4 * 1024**2), ({"maxMessageSize": 1024**2}, 1024**2)])
def test_netty_may_allocate_a_buffer_for_the_largest_message_for_1024_threads_of_a_broker(
    settings: dict[str, int], message: int
) -> None:
    command = container(deploy(broker_groups=group(config=settings)))["command"]
    given = dict(option.rpartition("=")[::2] for option in command if "=" in option)
    direct = int(given["-XX:MaxDirectMemorySize"].removesuffix("m")) * 1024**2
    assert int(given["-Dio.netty.maxDirectMemory"]) == direct + 1024 * (message + 64 * 1024)
    assert given["-Dio.netty.tryReflectionSetAccessible"] == "true"


def test_java_options_of_the_user_follow_those_of_the_role() -> None:
    given = deploy(controllers={"pods": {"java_options": ["-XX:TieredStopAtLevel=4"]}})
    command = container(given, "rocketmq-controller-set")["command"]
    assert command.index("-XX:TieredStopAtLevel=1") < command.index("-XX:TieredStopAtLevel=4")


@pytest.mark.parametrize("name", WORKLOADS)
def test_heap_and_direct_memory_fit_into_the_container_limit(deployed: Recording, name: str) -> None:
    main = container(deployed, name)
    limit = int(main["resources"]["limits"]["memory"].removesuffix("Mi"))
    flags = {flag.split("=")[0]: flag for flag in main["command"] if flag.startswith("-X")}
    heap = next(int(flag[4:-1]) for flag in main["command"] if flag.startswith("-Xmx"))
    direct = int(flags["-XX:MaxDirectMemorySize"].split("=")[1][:-1])
    assert main["resources"]["requests"]["memory"] == f"{limit}Mi"
    assert heap + direct + 128 <= limit
