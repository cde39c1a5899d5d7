"""What a program or a stack file says wrong, and the errors that tell: where, as written, all of it, with a way out."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml

from eks_rocketmq import ClusterOidcProvider, EbsStorageClass, IrsaRole, Network, NodeGroup, RocketMq
from eks_rocketmq.args.arg_schema import to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_issuer_host
from eks_rocketmq.args.validation import parse_bytes
from eks_rocketmq.eks.cluster.cluster_plan import plan_cluster
from eks_rocketmq.rocketmq.access.access import AccessArgs
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.external_settings import StackExternalArgs
from eks_rocketmq.stack.settings import declaration, parse
from tests.unit.harness import PROJECT, REPOSITORY, Recording, run, run_stack, stack_config
from tests.unit.rocketmq_case import args
from tests.unit.stack.test_empty_lists import ADMIN, cluster

DECLARED = declaration(REPOSITORY)
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's files, of which a test may write the stack file."""
    shutil.copy(REPOSITORY / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def refusal(folder: Path, stack: str, text: str) -> str:
    """The error for a stack file: the committed one of that name with the keys of `text` instead of its own."""
    given = yaml.safe_load(text)
    kept = yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())["config"]
    kept = {key: value for key, value in kept.items() if key.removeprefix(f"{PROJECT}:") not in given}
    lines = [f"  {PROJECT}:{line}" if line[:1].isalpha() else f"  {line}" for line in text.splitlines()]
    rest = "".join(f"  {line}\n" for line in yaml.safe_dump(kept, sort_keys=False).splitlines())
    (folder / f"Pulumi.{stack}.yaml").write_text("config:\n" + "\n".join(lines) + "\n" + rest)
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config=stack_config(stack, given), stack=stack)
    return str(error.value).removeprefix(f"Pulumi.{stack}.yaml: ")


STRING = "accepted is a string"


@pytest.mark.parametrize(
    ("stack", "text", "message"),
    [
        (
            "staging",
            "newCluster:\n  version: 1.30",
            f'newCluster.version is 1.30; {STRING}: write it in quotes, "1.3',
        ),
        (
            "staging",
            "newCluster:\n  version: '1.35'\n  deletionProtection: yes please",
            "newCluster.deletionProtection is 'yes please'; accepted is true or false",
        ),
        (
            "prod",
            "pods:\n  nodeSelector:\n    pool: true",
            f"pods.nodeSelector['pool'] is true; {STRING}: write it",
        ),
        ("prod", "labels:\n  cost: 0x1F", f"labels['cost'] is 0x1F; {STRING}: write it in quotes, \"0x1F\""),
        ("prod", "labels:\n  cost:", f"labels['cost'] is empty; {STRING}"),
        ("prod", "minInSyncReplicas: true", "minInSyncReplicas is true; accepted is a whole number, such as 3"),
        ("prod", "proxies:\n  cpu: 1", f'proxies.cpu is 1; {STRING}: write it in quotes, "1"'),
        ("prod", "proxies:\n  memory: 1", f"proxies.memory is 1; {STRING}: give it a unit, such as 1Gi"),
        ("prod", "proxies:\n  memory: 1024", f"proxies.memory is 1024; {STRING}: give it a unit, such as 1024Mi"),
        ("prod", "controllers:\n  storage: 10", f"controllers.storage is 10; {STRING}: give it a unit, such as 10Gi"),
        (
            "prod",
            "controllers:\n  storage: '10'",
            "controllers.storage is '10'; accepted is a size above 0 with ",
        ),
        ("prod", "monitoring:\n  interval: 30", f"monitoring.interval is 30; {STRING}: give it a unit, such as 30s"),
    ],
)
def test_a_value_is_shown_as_the_file_has_it_and_the_way_out_with_it(
    folder: Path, stack: str, text: str, message: str
) -> None:
    assert refusal(folder, stack, text).startswith(message)


def test_all_errors_of_the_file_are_told_once_in_its_order(folder: Path) -> None:
    text = """proxies:
  memory: 1
  replica: 2
topics:
- name: a b
namespace: RocketMQ
controllers:
  storage: '3'
durabilty: strict
networkPolicies:
  egress: maybe
brokerGroups:
- name: broker-a
  memory: 1Gi
- name: broker-b
  storage: 1Gi
oidcProvider: exists"""
    head, *lines = refusal(folder, "prod", text).splitlines()
    # What is no value of its key comes first, alone: the other checks need all values.
    assert head == "2 errors"
    assert [line.strip().partition(";")[0] for line in lines] == ["unknown key 'durabilty'", "oidcProvider is 'exists'"]
    text = text.replace("durabilty: strict\n", "").replace("\noidcProvider: exists", "")
    head, *lines = refusal(folder, "prod", text).splitlines()
    assert [re.split(r"[;,]| is not known", line.strip())[0] for line in lines] == [
        "proxies.replica",
        "proxies.memory is 1",
        "topics['a b'].name is 'a b'",
        "namespace is 'RocketMQ'",
        "controllers.storage is '3'",
        "networkPolicies.egress is 'maybe'",
        "brokerGroups['broker-a'].memory is 1Gi",
    ]
    assert head == "7 errors"


def test_errors_of_the_parts_of_a_new_cluster_are_told_together(folder: Path) -> None:
    text = """network:
  nat: perzone
nodeGroups:
  a:
    instanceTypes: [large]
  b:
    instanceType: m7i.large
newCluster:
  version: '1'
clusterAddons:
  versions: newest"""
    head, *lines = refusal(folder, "staging", text).splitlines()
    assert head == "6 errors"
    assert [line.strip().split()[0] for line in lines] == [
        "network:",
        "nodeGroups['a']:",
        "nodeGroups['b'].instanceType",
        "nodeGroups['b'].instance_types".replace("instance_types", "instanceTypes"),
        "newCluster:",
        "clusterAddons:",
    ]


# Objects of the stack file, an item of each, and which stack has them.
OBJECTS: dict[str, tuple[str, Any, Any]] = {
    "brokerGroups": ("prod", BrokerGroupArgs, lambda inner: [{"name": "a", **inner}]),
    "controllers": ("prod", ControllersArgs, dict),
    "access": ("prod", AccessArgs, dict),
    "external": ("prod", StackExternalArgs, dict),
    "newCluster": ("staging", settings.EksClusterArgs, lambda inner: {"version": "1.35", **inner}),
    "network": ("staging", settings.NetworkArgs, dict),
    "nodeGroups": ("staging", settings.NodeGroupArgs, lambda inner: {"a": {"instanceTypes": ["m7i.large"], **inner}}),
    "ebsCsi": ("staging", settings.EbsCsiAddonArgs, dict),
    "clusterAddons": ("staging", settings.ClusterAddonsArgs, dict),
    "newStorageClass": ("staging", settings.EbsStorageClassArgs, dict),
}


def texts(stack: str, **changed: Any) -> dict[str, str]:
    config = stack_config(stack, changed)
    return {key.removeprefix(f"{PROJECT}:"): text for key, text in config.items() if key.startswith(PROJECT)}


def parsed(stack: str, **changed: Any) -> str:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared by the caller
        parse(DECLARED, texts(stack, **changed))
    return str(error.value)


@pytest.mark.parametrize("key", OBJECTS)
def test_a_name_in_pythons_spelling_is_refused_with_that_of_the_stack_file(key: str) -> None:
    stack, wanted, around = OBJECTS[key]
    # Whether `selfManaged` belongs there is asked before.
    names = [name for name in wanted.__annotations__ if "_" in name and name != "self_managed"]
    assert names
    for name in names:
        told = parsed(stack, **{key: around({name: "x"})})
        assert f".{name} is not known; did you mean {to_camel_case(name)!r}?" in told
        both = parsed(stack, **{key: around({to_camel_case(name): "x", name: "x"})})
        assert f".{name} is not known; did you mean {to_camel_case(name)!r}?" in both, both


WIRED = {
    "newCluster": ["clusterName", "vpcId", "subnetIds"],
    "network": ["clusterName"],
    "nodeGroups": ["clusterName", "subnetIds", "zoneCount"],
    "ebsCsi": ["clusterName", "roleName", "permissions", "existing", "issuer", "providerArn", "kubernetesVersion"],
    "clusterAddons": ["clusterName", "stage", "kubernetesVersion"],
    "newStorageClass": ["className", "create", "allowVolumeExpansion", "kubeconfig"],
}


@pytest.mark.parametrize("key", WIRED)
def test_no_name_is_suggested_that_is_refused_when_it_is_given(key: str) -> None:
    stack, _, around = OBJECTS[key]
    for name in WIRED[key]:
        assert f"has {name}, which the stack sets itself; leave it out" in parsed(stack, **{key: around({name: "x"})})
        assert not re.search(rf"\b{name}\b", parsed(stack, **{key: around({f"{name}x": "x"})}))


@pytest.mark.parametrize(
    ("stack", "changed"),
    [
        ("staging", {"nodeGroups": {"a": {"zzz": 1}}}),
        ("staging", {"newCluster": {"version": "1.35", "zzz": 1}}),
        ("staging", {"network": {"zzz": 1}}),
        ("prod", {"zzz": 1}),
        ("prod", {"nodeGroup": {}}),
        ("prod", {"brokerGroups": [{"name": "a", "config": {"zzz": 1}}]}),
        ("prod", {"dashboard": []}),
    ],
)
def test_no_error_lists_dozens_of_names(stack: str, changed: dict[str, Any]) -> None:
    text = parsed(stack, **changed)
    assert text.count(", ") <= 12, text
    if "zzz" in text and "config" not in text:
        assert "accepted are " in text
        assert re.search(r"components/README.md|docs/reference/settings.md", text)


def test_a_new_class_with_the_name_of_eks_own_is_told_what_the_stack_file_can_do() -> None:
    text = parsed("staging", storageClass="gp2")
    assert text == (
        "storageClass is 'gp2', which EKS puts into its clusters, and newStorageClass makes a class; accepted is "
        "another name, such as 'rocketmq-gp2': give one, or leave newStorageClass out to use what is there"
    )


@pytest.mark.parametrize(("text", "meant"), [("100", "100Gi"), ("1", "1Gi"), ("4096", "4096Mi")])
def test_a_size_without_a_unit_is_refused_with_one(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"^storage is '{text}'; .* write '{meant}'"):
        parse_bytes(text, "storage")
    assert parse_bytes("4294967296", "storage") == 4 * 1024**3


def test_a_policy_that_stands_twice_is_refused() -> None:
    twice = cluster(policies=[{"policy": ADMIN}, {"policy": ADMIN, "namespaces": ["rocketmq"]}])
    with pytest.raises(ValueError, match=f"^access entry 'team': policies has '{ADMIN}' more than once"):
        plan_cluster(twice)
    entries = cluster(policies=[{"policy": ADMIN}])
    entries["access_entries"].append({**entries["access_entries"][0], "name": "others"})
    with pytest.raises(ValueError, match=r"^principal_arn of access_entries has 'arn:aws:iam::.* more than once"):
        plan_cluster(entries)


@pytest.mark.parametrize("namespace", ["", "a b", "Team", "-a", "a" * 64])
def test_a_namespace_of_a_policy_that_none_can_be_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match=f"namespaces of {ADMIN} is '{namespace}'; accepted is names of namespaces"):
        plan_cluster(cluster(policies=[{"policy": ADMIN, "namespaces": [namespace]}]))


def test_a_zone_that_the_region_has_not_is_an_error_of_the_stack_file() -> None:
    zones = ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1z"]
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError) as error:
        run_stack("staging", preview=True, overrides={"network": {"zones": zones}}, recording=recording)
    assert str(error.value).startswith("Pulumi.staging.yaml: network: zones has 'ap-southeast-1z', none of the reg")
    assert [each.type for each in recording.resources.values() if each.custom] == []


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com", "the endpoint of the API server"),
        (
            "https://0123456789ABCDEF.sk1.cn-north-1.eks.amazonaws.com.cn",
            "the endpoint of the API server",
        ),
        ("https://0123456789ABCDEF.eks-cluster.eu-west-1.api.aws", "the endpoint of the API server"),
        (f"{ISSUER}/.well-known/openid-configuration", "its discovery document"),
        (f"{ISSUER}/.well-known/", "its discovery document"),
        (f"{ISSUER}?x=1", ""),
        (f"{ISSUER}#a", ""),
        (ISSUER.replace("https://", "https://user@"), ""),
        (f"{ISSUER}/", ""),
    ],
)
def test_an_address_that_is_no_issuer_is_refused(issuer: str, why: str) -> None:
    makes: list[Callable[[], Any]] = [lambda: issuer, lambda: pulumi.Output.from_input(issuer)]
    for made in makes:
        with pytest.raises(ValueError, match="issuer is 'https://") as error:
            run(lambda made=made: ClusterOidcProvider("it", {"issuer": made()}), preview=True)
        assert why in str(error.value)


@pytest.mark.parametrize("issuer", [ISSUER, "https://oidc-eks.eu-west-1.api.aws/id/0123", "https://oidc.example/id/A"])
def test_an_issuer_is_taken(issuer: str) -> None:
    assert parse_issuer_host(issuer) == issuer.removeprefix("https://")


CANARY = "Kz7qVw8XjPf3"
ACCOUNTS = [{"namespace": "apps", "name": "reader"}]
LATER: dict[str, tuple[Any, Callable[[Any], dict[str, Any]]]] = {
    "issuer": (ClusterOidcProvider, lambda value: {"issuer": value}),
    "permissions_boundary": (
        IrsaRole,
        lambda value: {
            "role_name": "reader",
            "service_accounts": ACCOUNTS,
            "pod_identity_clusters": {"prod": "arn:aws:eks:eu-west-1:123456789012:cluster/prod"},
            "permissions_boundary": value,
        },
    ),
    "policy_arns['orders']": (
        IrsaRole,
        lambda value: {
            "role_name": "reader",
            "service_accounts": ACCOUNTS,
            "pod_identity_clusters": {"prod": "arn:aws:eks:eu-west-1:123456789012:cluster/prod"},
            "policy_arns": {"orders": value},
        },
    ),
    "policy own": (
        IrsaRole,
        lambda value: {
            "role_name": "reader",
            "service_accounts": ACCOUNTS,
            "pod_identity_clusters": {"prod": "arn:aws:eks:eu-west-1:123456789012:cluster/prod"},
            "inline_policies": {"own": value},
        },
    ),
    "a cluster that the role trusts": (
        IrsaRole,
        lambda value: {
            "role_name": "reader",
            "service_accounts": ACCOUNTS,
            "issuer": value,
            "provider_arn": f"arn:aws:iam::123456789012:oidc-provider/{ISSUER.removeprefix('https://')}",
        },
    ),
    "kms_key_id": (EbsStorageClass, lambda value: {"class_name": "own", "create": True, "kms_key_id": value}),
    "network permissions_boundary": (Network, lambda value: {"permissions_boundary": value}),
    **{
        what: (
            NodeGroup,
            lambda value, what=what: {
                "cluster_name": "prod",
                "subnet_ids": ["subnet-a"],
                "instance_types": ["m7i.large"],
                what: value,
            },
        )
        for what in ("role_arn", "disk_kms_key_arn", "version")
    },
    "storage_class": (RocketMq, lambda value: args(storage_class=value)),
    "controllers.storage_class": (RocketMq, lambda value: args(controllers={"storage_class": value})),
}


@pytest.mark.parametrize("what", LATER)
def test_a_known_output_is_checked_and_a_secret_one_is_not_shown(what: str) -> None:
    component, given = LATER[what]
    name = what.removeprefix("network ")
    for value in (f"a {CANARY}!", 8642097531):
        with pytest.raises(ValueError, match=r"accepted (is|are) ") as error:
            run(lambda value=value: component("it", given(pulumi.Output.from_input(value))), preview=True)
        with pytest.raises(ValueError, match=f"{re.escape(name)} is not accepted; it is secret") as error:
            run(lambda value=value: component("it", given(pulumi.Output.secret(value))), preview=True)
        shown = str(error.value)
        assert not any(CANARY[at : at + 6] in shown for at in range(len(CANARY) - 5)), shown
        assert "864209" not in shown


def two(first: Any, second: Any) -> None:
    RocketMq("first", args(), first)
    RocketMq("second", args(), second)


def test_two_rocketmqs_in_one_namespace_are_refused_and_in_two_clusters_taken() -> None:
    def with_providers(*, one: bool) -> None:
        providers = [kubernetes.Provider(name, kubeconfig=name) for name in ("a", "b")]
        two(*(pulumi.ResourceOptions(provider=provider) for provider in (providers[0], providers[0 if one else 1])))

    refused = "^namespace is 'rocketmq', in which this program has RocketMq 'first' already"
    with pytest.raises(ValueError, match=refused):
        run(lambda: two(None, None))
    with pytest.raises(ValueError, match=refused):
        run(lambda: with_providers(one=True))
    run(lambda: with_providers(one=False))
