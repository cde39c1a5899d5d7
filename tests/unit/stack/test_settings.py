"""Settings of a stack, read from its configuration, and the errors about invalid settings."""

import inspect
import json
import shutil
from pathlib import Path
from typing import Any, get_args, is_typeddict

import pulumi
import pulumi_aws as aws
import pytest
import yaml

from eks_rocketmq import RocketMqArgs
from eks_rocketmq.args.argument_path import ARGS, to_camel_case
from eks_rocketmq.eks.network.load_balancer import network_load_balancer
from eks_rocketmq.stack import settings, stack_file
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.settings import AwsSettings, Settings, parse
from eks_rocketmq.stack.stack_keys import KEYS
from eks_rocketmq.stack.stack_paths import ACCESS
from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config
from tests.unit.harness.rejections import Rejection, list_rejections, rejects

SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"
CERTIFICATE = "arn:aws:acm:ap-southeast-1:140023393377:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::140023393377:role/team"
OPTIONAL_FEATURES = ("monitoring", "network_policies")
"""Arguments of RocketMQ whose fields all have defaults. Without the argument, the feature is off."""


def prod(**changed: Any) -> Settings:
    """Return the settings of the prod stack with changes. None removes a key or a field."""
    return parse(texts("prod", changed))


def prod_rocketmq(**changed: Any) -> RocketMqArgs:
    return prod(rocketmq=changed).rocketmq


def texts(stack: str, changed: dict[str, Any] | None = None) -> dict[str, str]:
    """Return the project's own keys of a stack, without namespace."""
    prefix = f"{PROJECT}:"
    config = stack_config(stack, changed)
    return {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}


def load(stack: str, changed: dict[str, Any], **options: Any) -> None:
    run(settings.load, config=stack_config(stack, changed), stack=stack, **options)


def get_error(stack: str, changed: dict[str, Any], **options: Any) -> str:
    with pytest.raises(pulumi.RunError) as raised:
        load(stack, changed, **options)
    return str(raised.value)


def group(**changed: Any) -> list[dict[str, Any]]:
    base = {"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}
    return [{key: value for key, value in {**base, **changed}.items() if value is not None}]


def test_the_settings_of_the_prod_stack_match_its_stack_file() -> None:
    config = prod()
    assert config.cluster == {"cluster_name": "prod"}
    assert not isinstance(config.cluster, NewCluster)
    assert "existing" not in config.oidc
    assert "existing" not in config.ebs_csi
    assert (config.ebs_csi["role_name"], config.ebs_csi.get("permissions")) == ("eks-ebs-csi-driver", "legacy")
    assert config.storage == {"class_name": "gp2", "allow_volume_expansion": True, "auto_mode": False}
    assert config.rocketmq["namespace"] == "rocketmq"
    assert config.rocketmq["profile"] == "strict"
    assert config.rocketmq["broker_groups"] == group()
    assert config.rocketmq["name_servers"]["replicas"] == 2
    assert config.rocketmq["controllers"]["replicas"] == 3
    assert config.rocketmq["proxies"]["replicas"] == 2


def test_the_default_role_name_of_the_driver_contains_the_cluster_name() -> None:
    def get_role_name(cluster: str) -> str:
        return prod(cluster={"clusterName": cluster}, ebsCsi={"roleName": None}).ebs_csi["role_name"]

    assert get_role_name("prod") == "prod-ebs-csi-driver"
    names = {get_role_name(f"{'team-' * 19}{end}") for end in ("a", "b")}
    assert len(names) == 2
    assert {len(name) for name in names} == {64}
    assert all(name.startswith("team-team-") and name.endswith("-ebs-csi-driver") for name in names)


def test_client_ids_are_passed_to_the_oidc_provider() -> None:
    assert "client_ids" not in prod().oidc
    assert prod(oidc={"clientIds": ["vault"]}).oidc.get("client_ids") == ["vault"]


def test_the_prod_stack_is_limited_to_its_account_and_region() -> None:
    config = stack_config("prod")
    assert json.loads(config["aws:allowedAccountIds"]) == ["140023393377"]
    assert config["aws:region"] == "ap-southeast-1"


def test_the_committed_stack_file_contains_only_the_config_section() -> None:
    stack = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    assert list(stack) == ["config"]


def list_fields() -> list[tuple[str, str]]:
    """Return each key with each of its fields that the stack does not set."""
    fields = []
    for key, declaration in KEYS.items():
        type_ = declaration.type_ if is_typeddict(declaration.type_) else get_args(declaration.type_)[1]
        fields += [(key, name) for name in type_.__annotations__ if name not in declaration.set_by_stack]
    return fields


WRONG_FOR_EACH_TYPE = [[None]]


@pytest.mark.parametrize(("key", "field"), list_fields())
def test_each_field_is_read_and_its_type_is_checked(key: str, field: str) -> None:
    component = ACCESS if key == "access" else ARGS / to_snake_case(key)
    value: dict[str, Any] = {to_camel_case(field): WRONG_FOR_EACH_TYPE}
    if key == "nodeGroups":
        component, value = component.key("general"), {"general": value}
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the paths are compared below
        parse(texts("staging", {key: value}))
    faulty = str(component / field)
    assert [each for each in list_rejections(raised.value) if each.path.startswith(faulty)], raised.value


def to_snake_case(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def test_the_committed_stack_files_contain_only_known_keys() -> None:
    assert {*texts("prod"), *texts("staging")} <= set(KEYS)


def test_an_omitted_argument_gets_the_default_of_its_component() -> None:
    absent = {"min_in_sync_replicas", "image", "image_digest"}
    assert absent.isdisjoint(prod_rocketmq(minInSyncReplicas=None))
    dev = prod_rocketmq(profile="dev", minInSyncReplicas=None, brokerGroups=group(replicas=1))
    assert "min_in_sync_replicas" not in dev


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


def test_the_settings_of_the_aws_provider_are_defaults_of_the_cluster() -> None:
    provider = AwsSettings(profile="prod", assumed_role=ROLE)
    assert parse(texts("prod"), provider).cluster == {"cluster_name": "prod", "profile": "prod", "role_arn": ROLE}
    own = {"profile": "other", "roleArn": ROLE.replace("team", "other")}
    assert parse(texts("prod", {"cluster": own}), provider).cluster == {
        "cluster_name": "prod",
        "profile": "other",
        "role_arn": own["roleArn"],
    }
    without_role = parse(texts("prod", {"cluster": {"roleArn": "none"}}), provider)
    assert without_role.cluster == {"cluster_name": "prod", "profile": "prod"}


def test_arguments_are_passed_to_their_component() -> None:
    assert prod(oidc={"existing": True}).oidc.get("existing") is True
    existing = {"existing": True, "roleName": None}
    assert prod(ebsCsi=existing).ebs_csi.get("existing") is True
    assert prod(ebsCsi={"selfManaged": {}}).ebs_csi.get("self_managed") == {}
    assert prod(ebsCsi={"permissions": "v2"}).ebs_csi.get("permissions") == "v2"
    assert prod(storage={"allowVolumeExpansion": False}).storage.get("allow_volume_expansion") is False
    assert "allow_volume_expansion" not in prod(storage={"allowVolumeExpansion": None}).storage
    assert prod_rocketmq(createNamespace=False, podSecurity=None).get("create_namespace") is False
    assert prod_rocketmq(protectData=False).get("protect_data") is False


def test_the_driver_gets_the_kms_key_of_the_new_storage_class() -> None:
    own = {"className": "fast", "create": True, "volumeType": "gp3", "kmsKeyId": KEY}
    other = KEY.replace("key/1", "key/2")
    assert prod(storage=own).ebs_csi.get("kms_key_arns") == [KEY]
    assert prod(storage=own, ebsCsi={"kmsKeyArns": [other, KEY]}).ebs_csi.get("kms_key_arns") == [other, KEY]
    assert "kms_key_arns" not in prod(storage=own, ebsCsi={"existing": True, "roleName": None}).ebs_csi


def test_auto_mode_of_the_driver_is_the_default_for_the_storage_class() -> None:
    auto_mode = prod(ebsCsi={"autoMode": True, "roleName": None})
    assert (auto_mode.ebs_csi.get("auto_mode"), auto_mode.storage.get("auto_mode")) == (True, True)
    assert prod().storage.get("auto_mode") is False


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


@pytest.mark.parametrize("argument", OPTIONAL_FEATURES)
def test_an_empty_object_enables_an_optional_feature_of_rocketmq(argument: str) -> None:
    assert argument not in prod().rocketmq
    assert prod_rocketmq(**{to_camel_case(argument): {}}).get(argument) == {}


@pytest.mark.parametrize("key", ["network", "nodeGroups", "addons", "oidc", "ebsCsi"])
def test_an_empty_object_means_the_defaults_of_a_component(key: str) -> None:
    given = texts("prod")
    assert parse({**given, key: "{}"}) == parse({each: text for each, text in given.items() if each != key})


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


def test_only_access_can_be_encrypted() -> None:
    assert get_error("prod", {}, encrypted=[f"{PROJECT}:rocketmq"]) == (
        "Pulumi.prod.yaml: rocketmq: the value is encrypted. Accepted: plain text. Only access can be a secret. Set it "
        "again without --secret."
    )


def test_the_password_of_a_user_must_be_encrypted_and_stays_secret() -> None:
    changed = {"access": {"users": [{"name": "orders", "password": "correct-horse"}]}}
    assert get_error("prod", changed) == (
        "Pulumi.prod.yaml: access.users['orders'].password: the password is in plain text. Leave it out and one is "
        "generated, or run `pulumi config set --path 'access.users[0].password' --secret`."
    )

    def program() -> None:
        (user,) = settings.load().rocketmq["access"]["users"]
        pulumi.export("secret", pulumi.Output.from_input(user["password"]).is_secret())

    config = stack_config("prod", changed)
    assert run(program, config=config, encrypted=[f"{PROJECT}:access"], stack="prod").outputs == {"secret": True}


def test_a_misspelt_namespace_is_rejected_and_provider_keys_are_accepted() -> None:
    load("prod", {"kubernetes:namespace": "apps", "pulumi:tags": "{}"})
    assert get_error("prod", {"eks-rocktmq:rocketmq": "mq"}) == (
        "Pulumi.prod.yaml: eks-rocktmq:rocketmq: unknown namespace 'eks-rocktmq'. Did you mean 'eks-rocketmq'?"
    )


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_network_load_balancer_sets_arguments_of_external_and_is_internal(stack: str) -> None:
    external = {
        "hostname": "mq.example.com",
        "port": 443,
        "sourceRanges": ["10.0.0.0/8"],
        "annotations": {"example.com/team": "mq"},
    }
    balancer = {"certificateArn": CERTIFICATE, "tlsPorts": [443], "deregistrationSeconds": 5}
    config = stack_config(stack, {"rocketmq": {"external": external}, "networkLoadBalancer": balancer})
    seen: list[Any] = []
    run(lambda: seen.append(settings.load().rocketmq.get("external")), config=config, stack=stack)
    service = network_load_balancer({"certificate_arn": CERTIFICATE, "tls_ports": [443], "deregistration_seconds": 5})
    assert seen == [
        {
            "hostname": "mq.example.com",
            "port": 443,
            "source_ranges": ["10.0.0.0/8"],
            **service,
            "annotations": {"example.com/team": "mq", **service["annotations"]},
        }
    ]
    assert service["annotations"][SCHEME] == "internal"


def test_a_network_load_balancer_alone_enables_external_access() -> None:
    assert prod(networkLoadBalancer={}).rocketmq.get("external") == network_load_balancer({})


@pytest.mark.parametrize(
    ("balancer", "external", "path", "code"),
    [
        ("internal", None, "networkLoadBalancer", "no-object"),
        ({"internetfacing": True}, None, "network_load_balancer.internetfacing", "unknown-field"),
        ({"deregistrationSeconds": 3601}, None, "network_load_balancer.deregistration_seconds", "range"),
        (
            {"certificateArn": CERTIFICATE, "tlsPorts": [443]},
            None,
            "network_load_balancer.tls_ports",
            "tls-port",
        ),
        (
            {"certificateArn": CERTIFICATE, "tlsPorts": [443, 8081]},
            {"remoting": True, "hostname": "mq.example.com", "port": 443},
            "network_load_balancer.tls_ports",
            "tls-port",
        ),
        ({"tlsPorts": [443]}, None, "network_load_balancer.tls_ports", "tls-ports-without-certificate"),
        ({}, {"type": "NodePort"}, "rocketmq.external.type", "set-by-load-balancer"),
        (
            {},
            {"loadBalancerClass": "example.com/lb"},
            "rocketmq.external.load_balancer_class",
            "set-by-load-balancer",
        ),
        (
            {},
            {"annotations": {SCHEME: "internet-facing"}},
            f"rocketmq.external.annotations['{SCHEME}']",
            "set-by-load-balancer",
        ),
    ],
)
def test_an_invalid_network_load_balancer_is_rejected(balancer: Any, external: Any, path: str, code: str) -> None:
    with rejects((path, code)):
        prod(networkLoadBalancer=balancer, rocketmq={"external": external})


def test_a_misspelt_key_of_the_load_balancer_is_rejected() -> None:
    with rejects(("networkLoadbalancer", "unknown-key")):
        prod(networkLoadbalancer={})
    with rejects(("network_load_balancer.tlsPort", "unknown-field"), ("rocketmq.external.prot", "unknown-field")):
        prod(networkLoadBalancer={"tlsPort": [443]}, rocketmq={"external": {"prot": 443}})


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (
            "aws:allowedAccountId",
            "the AWS provider has no such setting. Did you mean 'allowedAccountIds'?",
        ),
        ("aws:regoin", "the AWS provider has no such setting. Did you mean 'region'?"),
        ("awss:region", "unknown namespace 'awss'. Did you mean 'aws'?"),
        ("AWS:region", "unknown namespace 'AWS'. Did you mean 'aws'?"),
        ("kubernets:namespace", "unknown namespace 'kubernets'. Did you mean 'kubernetes'?"),
    ],
)
@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_misspelt_provider_key_is_rejected(stack: str, key: str, problem: str) -> None:
    """A misspelt key of the AWS provider would disable the account guard."""
    assert get_error(stack, {key: '["140023393377"]'}) == f"Pulumi.{stack}.yaml: {key}: {problem}"


def test_provider_keys_that_resemble_no_known_key_are_accepted() -> None:
    others = ["aws:somethingNew", "awsx:x", "aws-native:region", "kubernetes-cert-manager:x", "tls:x"]
    load("prod", dict.fromkeys(others, ""))


def test_every_setting_of_the_aws_provider_is_known() -> None:
    parameters = inspect.signature(aws.Provider._internal_init).parameters
    own = set(parameters) - {"__self__", "__props__", "resource_name", "opts"}
    # The SDK and the engine read two more settings of this namespace.
    assert set(stack_file.AWS_KEYS) == {to_camel_case(name) for name in own} | {"version", "pluginDownloadURL"}


def test_errors_name_the_stack_file_and_have_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / file, tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    error = get_error("prod", {"storag": {"className": "gp2"}, "storage": None}, preview=True)
    assert error == (
        "Pulumi.prod.yaml: 2 errors\n"
        "  storage.className: a value is required. Accepted: a string.\n"
        "  storag: unknown key. Accepted: cluster, network, nodeGroups, addons, oidc, ebsCsi, storage, "
        "networkLoadBalancer, rocketmq, access. See docs/reference/settings.md. Did you mean storage?"
    )
