"""Rejected settings: path and code of each error, and how the stack file spells them."""

from typing import Any

import pytest

from eks_rocketmq.stack.settings import AwsSettings, parse
from tests.unit.harness.rejections import Rejection, list_rejections, rejects
from tests.unit.stack.settings_case import get_error, group, prod, prod_rocketmq, texts, to_snake_case


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("image", "", "image"),
        ("imageDigest", "", "image-digest"),
        ("podSecurity", "", "choice"),
        ("minInSyncReplicas", 0, "group-in-sync-members"),
    ],
)
def test_an_empty_value_is_rejected_instead_of_replaced_by_the_default(field: str, value: Any, code: str) -> None:
    with rejects((f"rocketmq.{to_snake_case(field)}", code)):
        prod_rocketmq(**{field: value})


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"brokerGroup": {}}, "brokerGroup", "unknown-key"),
        ({"cluster": None}, "cluster.cluster_name", "missing"),
        ({"storage": None}, "storage.class_name", "missing"),
        ({"cluster": "prod"}, "cluster", "no-object"),
        ({"oidc": ["vault"]}, "oidc", "no-object"),
        ({"ebsCsi": "existing"}, "ebsCsi", "no-object"),
        ({"storage": "{"}, "storage", "no-object"),
        ({"cluster": {"clusterName": None}}, "cluster.cluster_name", "missing"),
        ({"cluster": {"clusterName": "a b"}}, "cluster.cluster_name", "cluster-name"),
        ({"cluster": {"roleArn": "foo"}}, "cluster.role_arn", "role-arn"),
        ({"cluster": {"versoin": "1.35"}}, "cluster.versoin", "unknown-field"),
        ({"cluster": {"cluster_name": "prod"}}, "cluster.cluster_name", "python-spelling"),
        ({"cluster": {"zonalShift": True}}, "cluster.zonal_shift", "argument-of-new-cluster"),
        ({"network": {"nat": "single"}}, "network", "part-of-new-cluster"),
        ({"addons": {"versions": "latest"}}, "addons", "part-of-new-cluster"),
        ({"nodeGroups": {"general": {}}}, "node_groups", "part-of-new-cluster"),
        ({"storage": {"className": None}}, "storage.class_name", "missing"),
        ({"storage": {"className": "GP2"}}, "storage.class_name", "dns-subdomain"),
        ({"storage": {"allowVolumeExpansion": "maybe"}}, "storage.allow_volume_expansion", "wrong-type"),
        ({"storage": {"volumeType": "gp3"}}, "storage.volume_type", "immutable-in-existing-class"),
        ({"storage": {"create": True}}, "storage.class_name", "class-exists"),
        ({"storage": {"create": True, "className": "fast", "volumeType": "gp5"}}, "storage.volume_type", "choice"),
        ({"storage": {"kubeconfig": "{}"}}, "storage.kubeconfig", "set-by-the-stack"),
        ({"oidc": {"clientIds": [1]}}, "oidc.client_ids[0]", "wrong-type"),
        ({"oidc": {"clientIds": ["*"]}}, "oidc.client_ids[0]", "token-audience"),
        ({"oidc": {"existing": "exists"}}, "oidc.existing", "wrong-type"),
        ({"ebsCsi": {"existing": "import"}}, "ebs_csi.existing", "wrong-type"),
        ({"ebsCsi": {"permissions": "v3"}}, "ebs_csi.permissions", "choice"),
        ({"ebsCsi": {"roleName": "a b"}}, "ebs_csi.role_name", "role-name"),
        ({"ebsCsi": {"clusterName": "prod"}}, "ebs_csi.cluster_name", "set-by-the-stack"),
        ({"ebsCsi": {"existing": True}}, "ebs_csi.role_name", "ignored-argument"),
        ({"ebsCsi": {"autoMode": True}}, "ebs_csi.role_name", "ignored-argument"),
        ({"access": {"user": []}}, "rocketmq.access.user", "unknown-field"),
        ({"access": {"users": {}}}, "rocketmq.access.users", "wrong-type"),
    ],
)
def test_an_invalid_setting_is_rejected(changed: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        prod(**changed)


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"brokerGroups": None}, "broker_groups", "missing"),
        ({"brokerGroups": []}, "broker_groups", "no-broker-group"),
        ({"brokerGroups": {"broker-a": {}}}, "broker_groups", "wrong-type"),
        ({"brokerGroups": ["broker-a"]}, "broker_groups[0]", "wrong-type"),
        ({"brokerGroups": group(replica=3)}, "broker_groups['broker-a'].replica", "unknown-field"),
        ({"brokerGroups": group(name=None)}, "broker_groups[0].name", "missing"),
        ({"brokerGroups": group(replicas="3")}, "broker_groups['broker-a'].replicas", "wrong-type"),
        ({"brokerGroups": group(replicas=0)}, "broker_groups['broker-a'].replicas", "profile-members"),
        ({"brokerGroups": group(memory="4GB")}, "broker_groups['broker-a'].memory", "size"),
        ({"brokerGroups": group(storage="-1Gi")}, "broker_groups['broker-a'].storage", "size"),
        ({"brokerGroups": group(config=[])}, "broker_groups['broker-a'].config", "wrong-type"),
        ({"namespace": None}, "namespace", "missing"),
        ({"namespace": "RocketMQ"}, "namespace", "dns-label"),
        ({"namespace": "kube-system"}, "namespace", "namespace-of-every-cluster"),
        ({"profile": "stritc"}, "profile", "choice"),
        ({"minInSyncReplicas": "two"}, "min_in_sync_replicas", "wrong-type"),
        ({"minInSyncReplicas": True}, "min_in_sync_replicas", "wrong-type"),
        ({"minInSyncReplicas": 1.5}, "min_in_sync_replicas", "wrong-type"),
        ({"min_in_sync_replicas": 2}, "min_in_sync_replicas", "python-spelling"),
        ({"nameServers": [2]}, "name_servers", "wrong-type"),
        ({"nameServers": {"replicas": 0}}, "name_servers.replicas", "range"),
        ({"pods": {"nodeSelectors": {}}}, "pods.nodeSelectors", "unknown-field"),
        ({"pods": {"nodeSelector": {"pool": 5}}}, "pods.node_selector['pool']", "wrong-type"),
        (
            {"pods": {"nodeAffinity": {"preferred": [{"match": []}]}}},
            "pods.node_affinity.preferred[0].weight",
            "missing",
        ),
        (
            {"brokerGroups": group(pods={"nodeAffinity": {"required": [{"key": "a", "operator": "Is"}]}})},
            "broker_groups['broker-a'].pods.node_affinity.required[0].operator",
            "choice",
        ),
        ({"storageClass": "gp3"}, "storage_class", "set-by-the-stack"),
        ({"access": {}}, "access", "own-key"),
        ({"external": {"networkLoadBalancer": {}, "port": 443}}, "external.networkLoadBalancer", "own-key"),
        ({"external": {"sourceRange": ["10.0.0.0/8"]}}, "external.sourceRange", "unknown-field"),
        ({"external": {}}, "external", "external-visibility"),
        ({"tls": {}}, "tls.secret_name", "missing"),
        ({"dashboard": {}}, "dashboard.login_secret", "missing"),
    ],
)
def test_an_invalid_argument_of_rocketmq_is_rejected(changed: dict[str, Any], path: str, code: str) -> None:
    with rejects((f"rocketmq.{path}", code)):
        prod_rocketmq(**changed)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"rocketmq": None},
            [("rocketmq.namespace", "missing"), ("rocketmq.broker_groups", "missing")],
        ),
        (
            {"rocketmq": {"profile": "devv", "brokerGroups": group(replicas=1)}},
            [("rocketmq.profile", "choice")],
        ),
        (
            {"rocketmq": {"brokerGroups": [None, *group(memory="1x")]}},
            [("rocketmq.broker_groups[0]", "wrong-type"), ("rocketmq.broker_groups['broker-a'].memory", "size")],
        ),
        (
            {"rocketmq": {"brokerGroups": "broker-a", "namespace": "A", "proxies": {"replicas": 0}}},
            [
                ("rocketmq.broker_groups", "wrong-type"),
                ("rocketmq.namespace", "dns-label"),
                ("rocketmq.proxies.replicas", "range"),
            ],
        ),
        (
            {"cluster": {"zonalShift": True, "profil": "prod"}},
            [("cluster.zonal_shift", "argument-of-new-cluster"), ("cluster.profil", "unknown-field")],
        ),
        (
            {"ebsCsi": {"existing": True, "permissions": "generated"}},
            [("ebs_csi.role_name", "ignored-argument"), ("ebs_csi.permissions", "ignored-argument")],
        ),
        (
            {"ebsCsi": {"existing": True, "roleName": None, "identity": "pod_identity", "tags": {"team": "x"}}},
            [("ebs_csi.identity", "ignored-argument"), ("ebs_csi.tags", "ignored-argument")],
        ),
        (
            {"cluster": {"versoin": "1.35"}, "network": {"natt": "none"}, "nodeGroups": {"a": {}}},
            [
                ("cluster.versoin", "unknown-field"),
                ("network.natt", "unknown-field"),
                ("node_groups['a'].instance_types", "missing"),
            ],
        ),
    ],
)
def test_each_mistake_is_reported_once_and_without_its_consequences(
    changed: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    with rejects(*expected):
        prod(**changed)


@pytest.mark.parametrize("zone", ["us-west-2a", "us-west-2-lax-1a", "us-west-2-wl1-las-wlz-1"])
def test_zones_of_pods_must_be_in_the_region(zone: str) -> None:
    pods = {"zones": [zone, "us-west-2b", "us-west-2c"]}
    given = texts("prod", {"rocketmq": {"pods": pods}})
    assert parse(given, AwsSettings(region="us-west-2")).rocketmq.get("pods") == pods
    assert parse(given).rocketmq.get("pods") == pods
    for region in ("us-west-1", "us-west"):
        with pytest.raises(ValueError) as raised:  # noqa: PT011 - path and code are compared below
            parse(given, AwsSettings(region=region))
        # All zones are of the other region.
        assert list_rejections(raised.value) == [Rejection("rocketmq.pods.zones", "zone-of-other-region")] * 3
        assert f"{zone!r} is no zone of aws:region, {region!r}" in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"version": "5.5.9"},
            "rocketmq.version: '5.5.9' is not accepted. Accepted: '5.3.3', '5.4.0', '5.5.0'. Did you mean '5.5.0'?",
        ),
        (
            {"minInSyncReplicas": 3},
            "rocketmq.minInSyncReplicas: 3 is out of range, because rocketmq.brokerGroups['broker-a'].replicas is 3. "
            "Accepted: 1 to 2, so that writes continue while one member restarts. Or set "
            "rocketmq.brokerGroups['broker-a'].replicas to 4 or more.",
        ),
        (
            {"brokerGroups": group(replicas=2)},
            "rocketmq.brokerGroups['broker-a'].replicas: rocketmq.profile 'strict' needs more members than 2. "
            "Accepted: 3 or more. Or set rocketmq.profile to 'balanced' or 'dev', which has weaker guarantees.",
        ),
        (
            {"controllers": {"replicas": 4}},
            "rocketmq.controllers.replicas: rocketmq.profile 'strict' does not accept 4. Accepted: an odd number, 3 or "
            "more. 3 controllers elect a master while one of them is unavailable.",
        ),
        (
            {"brokerGroups": group(memory="1Gi")},
            "rocketmq.brokerGroups['broker-a'].memory: '1Gi' is too small for a broker. Accepted: 1536Mi or more. "
            "Leave the argument out for the default.",
        ),
        (
            {"nameServers": {"memory": "256Mi"}},
            "rocketmq.nameServers.memory: '256Mi' is too small for a nameserver. Accepted: 320Mi or more. Leave the "
            "argument out for the default.",
        ),
        (
            {"brokerGroups": group(storage="3Gi")},
            "rocketmq.brokerGroups['broker-a'].storage: '3Gi' is too small for the log. Accepted: '4096Mi' or more, "
            "room for 4 files of the log. For a smaller volume, set a smaller mappedFileSizeCommitLog in "
            "rocketmq.brokerGroups['broker-a'].config.",
        ),
        (
            {"brokerGroups": group(storage="100GB")},
            "rocketmq.brokerGroups['broker-a'].storage: '100GB' is no size. Accepted: a size above 0 with a unit, such "
            "as '512Mi', '4Gi' or '100Gi'.",
        ),
        (
            {"nameServers": {"cpu": "fast"}},
            "rocketmq.nameServers.cpu: 'fast' is no amount of CPU. Accepted: a number of CPUs, such as '500m' or '2'.",
        ),
        (
            {"brokerGroups": group(name="Broker_A")},
            "rocketmq.brokerGroups['Broker_A'].name: 'Broker_A' is no label of DNS. Accepted: 1 to 63 lower-case "
            "letters, digits and '-', beginning and ending with a letter or a digit.",
        ),
        (
            {"brokerGroups": group(replicas=1), "profile": "dev", "minInSyncReplicas": 2},
            "rocketmq.minInSyncReplicas: 2 is out of range, because rocketmq.brokerGroups['broker-a'].replicas is 1. "
            "Accepted: 1. Or set rocketmq.brokerGroups['broker-a'].replicas to 3 or more.",
        ),
        (
            {"pods": {"zones": ["ap-southeast-1a", "ap-southeast-1b"]}},
            "rocketmq.pods.zones: rocketmq.controllers may run in 'ap-southeast-1a', 'ap-southeast-1b' only, but "
            "rocketmq.profile 'strict' needs more zones. Accepted: 3 or more zones. Or set rocketmq.profile to "
            "'balanced' or 'dev', which has weaker guarantees.",
        ),
        (
            {"consumerGroups": [{"name": "a b"}]},
            "rocketmq.consumerGroups['a b'].name: RocketMQ does not accept the name 'a b'. Accepted: 1 to 120 letters, "
            "digits, '_', '-', '%' and '|'.",
        ),
        (
            {"networkPolicies": {"dns": [{"cidr": "10.0.0.0/8"}]}},
            "rocketmq.networkPolicies.dns: the argument has no effect unless rocketmq.networkPolicies.egress is true. "
            "Leave the argument out, or set rocketmq.networkPolicies.egress to true.",
        ),
        (
            {"brokerGroups": group(config={"aclEnable": True})},
            "rocketmq.brokerGroups['broker-a'].config['aclEnable']: RocketMQ 5.5.0 never reads the key, so every "
            "client would still have access. Leave the key out. Use access for access control.",
        ),
        (
            {"namespace": "-mq"},
            "rocketmq.namespace: '-mq' is no label of DNS. Accepted: 1 to 63 lower-case letters, digits and '-', "
            "beginning and ending with a letter or a digit.",
        ),
        (
            {"brokerGroups": group() * 2},
            "rocketmq.brokerGroups: 'broker-a' is given more than once. Accepted: each name once.",
        ),
        (
            {"brokerGroups": group(config={"flushDiskTyp": "SYNC_FLUSH"})},
            "rocketmq.brokerGroups['broker-a'].config['flushDiskTyp']: RocketMQ 5.5.0 has no such key for a broker. "
            "Did you mean 'flushDiskType'?",
        ),
        (
            {"brokerGroups": group(config={"brokerIP1": "10.0.0.1"})},
            "rocketmq.brokerGroups['broker-a'].config['brokerIP1']: the deployment sets the key, so you cannot "
            "override it. Leave the key out.",
        ),
        (
            {"proxies": {"config": {"grpcThreadPoolNums": "many"}}},
            "rocketmq.proxies.config['grpcThreadPoolNums']: 'many' is not accepted. Accepted: a whole number, 1 to "
            "32767 (threads, the process exits if a pool has none).",
        ),
        (
            {"external": {"networkLoadBalancer": {}}},
            "rocketmq.external.networkLoadBalancer: this has its own key. Write networkLoadBalancer.",
        ),
        (
            {"brokerGroups": group(min_in_sync_replicas=2)},
            "rocketmq.brokerGroups['broker-a'].min_in_sync_replicas: unknown field. Write minInSyncReplicas.",
        ),
        (
            {"brokerGroups": group(write_queues=1)},
            "rocketmq.brokerGroups['broker-a'].write_queues: unknown field. Accepted: name, replicas, memory, cpu, "
            "storage, storageClass, minInSyncReplicas, config, pods.",
        ),
    ],
)
def test_an_error_names_the_stack_file_and_uses_its_spelling(changed: dict[str, Any], text: str) -> None:
    assert get_error("prod", {"rocketmq": changed}, preview=True) == f"Pulumi.prod.yaml: {text}"


@pytest.mark.usefixtures("prod_folder")
def test_errors_name_the_stack_file_and_have_no_traceback() -> None:
    error = get_error("prod", {"storag": {"className": "gp2"}, "storage": None}, preview=True)
    assert error == (
        "Pulumi.prod.yaml: 2 errors\n"
        "  storage.className: a value is required. Accepted: a string.\n"
        "  storag: unknown key. Accepted: cluster, network, nodeGroups, addons, oidc, ebsCsi, storage, "
        "networkLoadBalancer, rocketmq, access. See docs/reference/settings.md. Did you mean storage?"
    )
