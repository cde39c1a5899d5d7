"""Properties over generated arguments: plans keep their guarantees, and invalid arguments raise a ValueError."""

import json
import re
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError, CollectedError, split_error
from eks_rocketmq.args.validation import (
    parse_bytes,
    parse_whole_number,
    validate_dns_label,
    validate_dns_subdomain,
    validate_label_value,
    validate_qualified_name,
)
from eks_rocketmq.rocketmq.config import broker_config, durability, memory
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.plan import RocketMqPlan, plan
from eks_rocketmq.rocketmq.pods import pod_spec, probes
from eks_rocketmq.rocketmq.roles.broker_group import _build_container
from tests.unit.harness import Recording
from tests.unit.rocketmq_case import args, deploy

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.text("abcz059-", min_size=1, max_size=45) | st.text(max_size=70)
SIZES = st.builds(
    "{}{}".format,
    st.integers(0, 3000) | st.floats(0, 100).map(lambda value: round(value, 2)),
    st.sampled_from(["", "Mi", "Gi", "Ti", "M", "G", "k"]),
) | st.text("0123456789GMi. e-", max_size=80)
CPUS = st.sampled_from(["0", "0m", "0.000", "1", "250m", "0.5", "0.0001", "half", "1e3"]) | st.integers(0, 10**7).map(
    str
)
COUNTS = st.integers(-2, 9) | st.sampled_from([10**30, 1000, 1001, 2.0, 2.5, float("inf"), float("nan"), True])
KEYS = st.sampled_from(sorted(broker_config.load_keys("5.5.0")["broker"]))
CONFIG = st.dictionaries(KEYS, JSON, max_size=3)
RARELY = st.sampled_from([False] * 7 + [True])
# Minimum members of a group, minimum controllers, and whether acknowledged messages survive a killed member.
GUARANTEES = {"strict": (3, 3, True), "balanced": (2, 3, True), "dev": (1, 1, False)}
quick = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def mostly_valid_args(draw: st.DrawFn) -> dict[str, Any]:
    """Generate mostly valid arguments: sizes around the limits, and values of the types of the keys."""
    profile = draw(st.sampled_from(sorted(durability.PROFILES)))
    replicas = draw(st.sampled_from([3, 4, 5, 6, 7, 2, 1]))
    heap = draw(st.integers(1536, 65536))
    groups = [
        {
            "name": name,
            "replicas": replicas,
            "memory": f"{heap}Mi",
            "cpu": draw(st.sampled_from(["100m", "1", "0.5"])),
            "storage": f"{draw(st.integers(4, 2000))}Gi",
            "config": {
                "registerNameServerPeriod": draw(st.integers(10000, 60000)),
                "shutdownWaitTimeSeconds": draw(st.integers(0, 600)),
                "enableShutdownGracefully": draw(st.booleans()),
                "transientStorePoolEnable": draw(RARELY),
                "transientStorePoolSize": draw(st.integers(1, 8)),
                "syncFromLastFile": draw(RARELY),
            },
        }
        for name in draw(
            st.lists(
                st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True), min_size=1, max_size=3, unique=True
            )
        )
    ]
    return args(
        profile=profile,
        version=draw(st.sampled_from(broker_config.list_versions())),
        namespace=draw(st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)),
        broker_groups=groups,
        controllers={
            "replicas": draw(st.sampled_from([3, 5, 1])),
            "config": {"enableElectUncleanMaster": draw(RARELY)},
        },
    )


@st.composite
def arbitrary_args(draw: st.DrawFn) -> Any:
    """Generate arguments of the right structure in which some fields have arbitrary values."""
    role = {"replicas": COUNTS, "memory": SIZES, "cpu": CPUS}
    group = {"name": NAMES, **role, "storage": SIZES, "config": CONFIG, "min_in_sync_replicas": COUNTS}
    match = {"key": NAMES, "operator": st.sampled_from(["In", "Exists", "Gt", "is"]), "values": st.lists(NAMES)}
    affinity = {"required": st.lists(st.fixed_dictionaries(match), max_size=2)}
    pods_of = {
        "zones": st.lists(NAMES, max_size=3),
        "labels": st.dictionaries(NAMES, NAMES, max_size=2),
        "node_affinity": st.fixed_dictionaries(affinity),
    }
    result = args()
    for _ in range(draw(st.integers(1, 3))):
        section = draw(st.sampled_from(["broker_groups", "name_servers", "controllers", "proxies", "pods", "top"]))
        fields: dict[str, Any] = {
            "broker_groups": group,
            "pods": pods_of,
            "top": {"namespace": NAMES, "version": NAMES},
        }.get(section, {**role, "config": CONFIG})
        field = draw(st.sampled_from(sorted(fields)))
        value = draw(fields[field] if draw(st.integers(0, 3)) else JSON)
        if section == "top":
            result[field] = value
        elif section == "broker_groups":
            result[section][0][field] = value
        else:
            result.setdefault(section, {})[field] = value
    return result


ODD_VALUES = (
    st.sampled_from(["", "Bad Name", "a\nb", "../x", "Ü", "x" * 300, 0, -1, 2**40, 1.5, True, None, [], {}]) | JSON
)
WORDS = st.sampled_from(["orders", "a-b", "ab", "a" * 40])
PAIRS = st.dictionaries(st.sampled_from(["team", "example.com/a"]), st.sampled_from(["shop", "A_b", ""]), max_size=2)
CIDRS = st.sampled_from(["10.0.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.0.0.1/32"])


def some_of(required: dict[str, st.SearchStrategy[Any]] | None = None, /, **optional: Any) -> st.SearchStrategy[Any]:
    """Generate objects with the required fields and any of the optional fields."""
    return st.fixed_dictionaries(required or {}, optional=optional)


def short_lists(strategy: st.SearchStrategy[Any], minimum: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(strategy, min_size=minimum, max_size=2, unique_by=repr)


def named(**fields: Any) -> st.SearchStrategy[Any]:
    """Generate lists of objects with unique names."""
    return st.lists(some_of({"name": WORDS}, **fields), max_size=2, unique_by=lambda each: each["name"])


# Peers of network policies, by labels or by CIDR block.
PEERS = short_lists(some_of({"pod_labels": PAIRS}, namespace_labels=PAIRS) | st.fixed_dictionaries({"cidr": CIDRS}))
PERMISSIONS = short_lists(
    some_of(
        {
            "resources": st.sampled_from(["*", "Topic:a-*", "Group:a", "Cluster:*"]).map(lambda one: [one]),
            "actions": short_lists(st.sampled_from(["Pub", "Sub", "All", "Get"]), 1),
        },
        decision=st.sampled_from(["Allow", "Deny"]),
        source_ips=short_lists(CIDRS),
    ),
)
SERVICE = {
    "port": st.sampled_from([443, 8081, 65535]),
    "node_port": st.sampled_from([30000, 32767]),
    "annotations": PAIRS,
    "traffic_policy": st.sampled_from(["Cluster", "Local"]),
}
METRIC_ROLES: dict[str, st.SearchStrategy[Any]] = {
    "scrapers": PEERS,
    "alerts": some_of(
        labels=PAIRS,
        kubernetes_metrics=st.booleans(),
        disk_used_percent=st.integers(1, 84),
        consumer_lag_messages=st.integers(1, 10**15),
        consumer_lag_seconds=st.integers(1, 10**9),
        send_latency_milliseconds=st.integers(1, 2999),
    ),
    "grafana_dashboard": some_of(labels=PAIRS, annotations=PAIRS),
}
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "external": some_of(
        {"load_balancer_class": st.just("example.com/lb"), "hostname": st.sampled_from(["mq.example.com", "mq"])},
        remoting=st.booleans(),
        source_ranges=short_lists(CIDRS),
        **SERVICE,
    )
    | some_of({"type": st.just("NodePort")}, **SERVICE),
    "network_policies": some_of({"egress": st.just(True)}, enabled=st.just(True), clients=PEERS, dns=PEERS)
    | some_of(enabled=st.just(True), clients=PEERS, egress=st.just(False))
    | some_of({"enabled": st.just(False)}, egress=st.just(False)),
    "access": some_of(
        users=named(password_version=st.integers(1, 3), enabled=st.booleans(), permissions=PERMISSIONS)
        | named(password=st.from_regex(r"[!#-\[\]-~]{8,64}", fullmatch=True), type=st.just("Super")),
        internal_generation=st.integers(1, 3),
    ),
    "tls": some_of(
        {"secret_name": WORDS},
        mode=st.sampled_from(["permissive", "enforcing"]),
        authority=st.sampled_from(["ca.crt", ".a_b-C"]),
    ),
    "topics": named(
        type=st.sampled_from(["NORMAL", "FIFO", "DELAY", "TRANSACTION", "PRIORITY"]),
        queues=st.integers(8, 1024),
        write_queues=st.integers(1, 8),
        permission=st.sampled_from(["RW", "R", "W"]),
        broker_groups=st.just(["broker-a"]),
    ),
    "consumer_groups": named(
        ordered=st.booleans(),
        max_retries=st.sampled_from([0, 16, 2**31 - 1]),
        broadcast=st.booleans(),
        consume=st.booleans(),
    ),
    "monitoring": some_of(
        {"monitor": st.sampled_from(["pod", "service"])},
        monitor_labels=PAIRS,
        interval=st.sampled_from(["30s", "1m"]),
        **METRIC_ROLES,
    )
    | some_of(monitor=st.just("none"), **METRIC_ROLES),
    "dashboard": some_of({"login_secret": WORDS}, clients=PEERS),
}


@st.composite
def corrupted_option(draw: st.DrawFn) -> dict[str, Any]:
    """Generate one option with an arbitrary value in one place, at any depth."""
    name = draw(st.sampled_from(sorted(OPTIONS)))
    result: dict[Any, Any] = {name: draw(OPTIONS[name])}
    part, key = result, name
    while draw(st.integers(0, 3)) and isinstance(part[key], dict | list) and part[key]:
        part = part[key]
        key = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
    part[key] = draw(ODD_VALUES)
    return result


def get_outcome(function: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, list[Any]]:
    """Return the result, or the errors as data. Every other exception fails the test."""
    try:
        return function(*arguments, **named), []
    except (ArgumentError, CollectedError) as error:
        return None, list(split_error(error))


def planned(given_args: Any) -> tuple[RocketMqPlan | None, list[ArgumentError]]:
    """Return the plan, or its errors. Every error must state accepted values or a remedy."""
    result, rejections = get_outcome(plan, given_args)
    assert all(each.message.accepted or each.message.remedy for each in rejections), rejections
    return result, rejections


@quick
@given(arbitrary_args())
def test_invalid_arguments_raise_only_argument_errors(given_args: Any) -> None:
    result, _ = planned(given_args)
    if result is not None:
        assert_guarantees(result, "strict")


@quick
@given(mostly_valid_args())
def test_plans_keep_the_guarantees_of_their_profile(given_args: Any) -> None:
    result, _ = planned(given_args)
    if result is not None:
        assert_guarantees(result, given_args["profile"])


def assert_guarantees(result: RocketMqPlan, profile: str) -> None:
    """Assert the properties of every plan of a profile."""
    members, controllers, keeps_acknowledged = GUARANTEES[profile]
    assert result.controllers.replicas >= controllers
    assert result.controllers.replicas % 2 == 1
    assert "enableElectUncleanMaster=false\n" in result.controllers.config or not keeps_acknowledged
    for role in (result.name_servers, result.controllers, result.proxies, *(group.role for group in result.groups)):
        parts = role.memory
        assert parts.heap + parts.direct + parts.fixed <= parts.limit
        assert min(parts.heap, parts.direct, parts.fixed) > 0
    for group in result.groups:
        assert group.role.replicas >= members
        if keeps_acknowledged:
            assert group.keys["allAckInSyncStateSet"] is True
            assert not group.keys.get("transientStorePoolEnable", False)
            assert not group.keys.get("syncFromLastFile", False)
        assert group.role.replicas == 1 or group.min_in_sync < group.role.replicas
        assert group.keys["minInSyncReplicas"] == group.min_in_sync
        assert int(group.keys["registerNameServerPeriod"]) in range(10000, 60001)
        drain = probes.plan_drain(group.keys)
        waits = (
            2 * int(group.keys.get("shutdownWaitTimeSeconds", 30)) if group.keys.get("enableShutdownGracefully") else 0
        )
        steps = drain.leader + drain.replicate + drain.elect + drain.rejoin + drain.requests
        assert drain.grace_period >= steps + 12 + waits
        spec = pod_spec.build_pod_spec(
            _build_container(result.deployment, group, drain), "config", grace_period=drain.grace_period, placement={}
        )
        flags = {flag.split("=")[0]: flag for flag in spec["containers"][0]["command"]}
        assert f"-Xmx{group.role.memory.heap}m" in flags
        json.dumps(spec)
        set_name = labels.format_set_name(group.name)
        assert LABEL.fullmatch(f"{set_name}-0123456789"), "the revision label of a StatefulSet"
        assert LABEL.fullmatch(f"{set_name}-{group.role.replicas - 1}"), "the host name of a pod"
        assert LABEL.fullmatch(labels.format_peers_service(set_name))
        assert len(f"data-{set_name}-{group.role.replicas - 1}") <= 253
        assert "\n".join(f"{k}={v}" for k, v in group.keys.items()).count("\n") == len(group.keys) - 1
    deployment = result.deployment
    for address in [*deployment.name_server_addresses, *deployment.controller_addresses, deployment.ready_name_server]:
        host, _, port = address.rpartition(":")
        assert len(host) <= 253
        assert all(LABEL.fullmatch(part) for part in host.split("."))
        assert 1 <= int(port) <= 65535


@given(corrupted_option())
def test_error_of_an_invalid_option_has_the_path_of_the_option(given_args: dict[str, Any]) -> None:
    _, rejections = planned(args(**given_args))
    assert {each.path.steps[0] for each in rejections} <= OPTIONS.keys(), rejections


# Each example deploys about half of the options and validates all manifests, so shrinking a failure would take minutes.
@settings(
    max_examples=settings().max_examples // 4,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(some_of(**OPTIONS))
def test_options_render_valid_manifests_and_open_only_served_ports(given_args: dict[str, Any]) -> None:
    result, rejections = planned(args(**given_args))
    if result is None:
        assert {each.code for each in rejections} <= {
            "clients-without-cidr",
            "dashboard-credentials",
            "disabled-feature",
            "empty-list",
            "permission-duplicate",
        }
        return
    recording = deploy(**given_args)
    for manifest in recording.manifests():
        if "coreos" not in manifest["apiVersion"]:
            kubernetes_validate.validate(manifest, "1.35", strict=True)
    assert_only_served_ports_are_open(recording, result)


def assert_only_served_ports_are_open(recording: Recording, result: RocketMqPlan) -> None:
    templates = [
        resource.inputs["spec"]["template"]
        for kind in ("StatefulSet", "Deployment")
        for resource in recording.by_type(kind)
    ]
    network = result.deployment.network
    # An empty client list renders no rule, because a rule with an empty list of peers would allow all sources.
    closed = {
        ports.PROXY_GRPC: network.clients == [],
        ports.PROXY_REMOTING: network.clients == [],
        ports.METRICS: network.scrapers == [],
        ports.DASHBOARD: network.dashboard_clients == [],
    }
    all_served: set[int] = set()
    opened: dict[str, set[int]] = {}
    for policy in recording.by_type("NetworkPolicy"):
        selector = policy.inputs["spec"]["podSelector"]["matchLabels"]
        (pods_of,) = (t for t in templates if selector.items() <= t["metadata"]["labels"].items())
        served = {port["containerPort"] for c in pods_of["spec"]["containers"] for port in c.get("ports", [])}
        all_served |= served
        role = selector["app.kubernetes.io/component"]
        opened[role] = ports_of(policy.inputs["spec"].get("ingress", []))
        assert opened[role] <= served, role
        assert [port for port in served - opened[role] if not closed.get(port)] == [], role
    assert len(opened) == (len(templates) if network.enabled else 0)
    for policy in recording.by_type("NetworkPolicy"):
        assert ports_of(policy.inputs["spec"].get("egress", [])) <= all_served | {ports.DNS}
    if result.external and network.enabled:
        (service,) = (resource for resource in recording.by_type("Service") if "external" in resource.name)
        assert {port["targetPort"] for port in service.inputs["spec"]["ports"]} <= opened[labels.PROXY]


def ports_of(rules: list[dict[str, Any]]) -> set[int]:
    return {port["port"] for rule in rules for port in rule["ports"]}


@quick
@given(
    st.text(max_size=80),
    st.sampled_from([validate_dns_label, validate_dns_subdomain, validate_qualified_name, validate_label_value]),
)
def test_name_is_returned_unchanged_or_rejected(text: str, check: Any) -> None:
    result, rejections = get_outcome(check, text, ARGS / "name")
    assert result == text or [each.message.values["given"] for each in rejections] == [text]
    assert rejections or (text.isascii() and len(text) <= 317)


@quick
@given(SIZES)
def test_size_is_parsed_to_whole_bytes_or_rejected(text: str) -> None:
    size, rejections = get_outcome(parse_bytes, text, ARGS / "size")
    if size is None:
        assert [each.message.values["given"] for each in rejections] == [text]
    else:
        assert 1 <= size < 2**63


@quick
@given(st.integers(1, 2**30), st.sampled_from(["Mi", "Gi", "M", "k"]))
def test_doubling_the_number_doubles_the_size(number: int, unit: str) -> None:
    path = ARGS / "size"
    assert parse_bytes(f"{number * 2}{unit}", path) == 2 * parse_bytes(f"{number}{unit}", path)


@quick
@given(st.integers() | st.sampled_from([10**400]) | st.floats() | st.booleans())
def test_whole_number_is_an_int_of_the_same_value(value: float) -> None:
    whole, rejections = get_outcome(parse_whole_number, value, ARGS / "number")
    if rejections:
        assert isinstance(value, bool) or not float(value).is_integer()
    else:
        assert (type(whole), whole) == (int, value)


@quick
@given(
    role=st.sampled_from([labels.NAME_SERVER, labels.CONTROLLER, labels.PROXY, labels.BROKER]),
    limit=st.integers(1, 2**40),
    needed=st.integers(0, 2**20),
)
def test_divided_memory_adds_up_and_grows_with_the_limit(role: str, limit: int, needed: int) -> None:
    def divide(size: int) -> tuple[Any, Any]:
        parts, rejections = get_outcome(memory.divide_memory, role, f"{size}Mi", ARGS / "memory", direct_needed=needed)
        return parts, next((each.message.values["minimum"] for each in rejections), None)

    parts, minimum = divide(limit)
    if parts is None:
        assert limit < minimum
        assert minimum <= 1536 or needed > 0
        assert divide(minimum)[0].direct >= needed
        assert divide(minimum - 1) == (None, minimum)
        return
    assert parts.heap + parts.direct + parts.fixed + parts.page_cache == parts.limit == limit
    assert parts.direct >= needed
    assert parts.page_cache >= 0
    more, _ = divide(limit * 2)
    assert (more.heap, more.direct) >= (parts.heap, parts.direct)


@pytest.mark.parametrize("version", broker_config.list_versions())
@quick
@given(data=st.data())
def test_any_value_of_any_key_is_rendered_or_rejected(version: str, data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(["broker", "controller", "name_server", "proxy"]))
    key = data.draw(st.sampled_from(sorted(broker_config.load_keys(version)[role])))
    value = data.draw(JSON)
    values, rejections = get_outcome(
        broker_config.merge_keys, version, role, {}, {key: value}, fixed=frozenset(), path=ARGS / "config"
    )
    if rejections:
        assert all(key in str(each) for each in rejections)
    else:
        text = broker_config.render_properties(values)
        assert text.startswith(f"{key}=")
        assert text.count("\n") == 1
        assert text.isascii()
