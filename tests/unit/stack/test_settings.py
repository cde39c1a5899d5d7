"""The configuration: one schema, and an error for every way to get it wrong."""

import inspect
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
import yaml

from eks_rocketmq import RocketMqArgs
from eks_rocketmq.args.arg_schema import to_camel_case
from eks_rocketmq.eks.network.load_balancer import network_load_balancer
from eks_rocketmq.stack import settings, stack_file
from eks_rocketmq.stack.settings import Settings, assemble, checked_values, declaration, parse
from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config

SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"
DECLARED = declaration(REPOSITORY)
CERTIFICATE = "arn:aws:acm:ap-southeast-1:140023393377:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def prod(**changed: Any) -> Settings:
    """The prod stack's settings, with some keys changed; None takes a key away."""
    return parse(DECLARED, texts(**changed))


def texts(**changed: Any) -> dict[str, str]:
    """The project's own keys of the prod stack."""
    prefix = f"{PROJECT}:"
    config = stack_config("prod", changed)
    return {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}


def group(**changed: Any) -> list[dict[str, Any]]:
    base = {"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}
    return [{key: value for key, value in {**base, **changed}.items() if value is not None}]


def role(**changed: Any) -> dict[str, Any]:
    return {"replicas": 3, "memory": "768Mi", "cpu": "100m", "storage": "10Gi", **changed}


def without_storage(**changed: Any) -> dict[str, Any]:
    return {key: value for key, value in role(**{"replicas": 2, **changed}).items() if key != "storage"}


def test_the_prod_stack_is_the_original_case() -> None:
    config = prod()
    assert config.cluster == {"cluster_name": "prod"}
    assert (config.new_cluster, config.oidc_provider_exists, config.ebs_csi.get("existing")) == (None, False, False)
    assert (config.ebs_csi["role_name"], config.ebs_csi.get("permissions")) == ("eks-ebs-csi-driver", "legacy")
    assert config.storage == {
        **{"class_name": "gp2", "create": False},
        **{"allow_volume_expansion": True, "auto_mode": False},
    }
    assert config.rocketmq["namespace"] == "rocketmq"
    assert config.rocketmq["profile"] == "strict"
    assert config.rocketmq["broker_groups"] == group()
    assert config.rocketmq["name_servers"]["replicas"] == 2
    assert config.rocketmq["controllers"]["replicas"] == 3
    assert config.rocketmq["proxies"]["replicas"] == 2


def test_the_driver_s_role_has_the_name_of_its_cluster_unless_it_is_given() -> None:
    assert prod(ebsCsiRoleName=None).ebs_csi["role_name"] == "prod-ebs-csi-driver"
    long = [f"{'team-' * 19}{end}" for end in ("a", "b")]
    names = {str(prod(ebsCsiRoleName=None, clusterName=name).ebs_csi["role_name"]) for name in long}
    assert len(names) == 2
    assert {len(name) for name in names} == {64}
    assert all(name.startswith("team-team-") and name.endswith("-ebs-csi-driver") for name in names)


def test_audiences_of_other_workloads_are_kept() -> None:
    assert prod().oidc_client_ids == []
    assert prod(oidcClientIds=["vault"]).oidc_client_ids == ["vault"]


def test_the_prod_stack_is_guarded_by_its_account_and_region() -> None:
    config = stack_config("prod")
    assert json.loads(config["aws:allowedAccountIds"]) == ["140023393377"]
    assert config["aws:region"] == "ap-southeast-1"


def test_the_committed_stack_file_holds_no_key_of_an_engine() -> None:
    stack = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    assert list(stack) == ["config"]


class Noted(dict[str, Any]):
    """Notes which keys are read by name."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)


def test_keys_read_are_keys_declared_and_the_stack_uses_no_other() -> None:
    values = Noted(checked_values(DECLARED, texts()))
    assemble(DECLARED, values, None)
    assert values.read == set(DECLARED)
    assert set(texts()) <= set(DECLARED)


def test_every_declared_key_has_a_type_and_a_description() -> None:
    for key, declared in DECLARED.items():
        assert declared["type"] in ("string", "integer", "boolean", "array", "object"), key
        assert len(declared["description"]) > 20, key


def test_defaults_come_from_the_declaration() -> None:
    assert prod(storageClass=None).storage["class_name"] == DECLARED["storageClass"]["default"]


def test_a_default_that_stands_for_the_component_s_own_is_left_to_it() -> None:
    for key in ("minInSyncReplicas", "image", "imageDigest"):
        assert DECLARED[key]["default"] in settings.UNSET
    assert {"min_in_sync_replicas", "image", "image_digest"}.isdisjoint(prod(minInSyncReplicas=None).rocketmq)
    dev = prod(durability="dev", minInSyncReplicas=None, brokerGroups=group(replicas=1))
    assert "min_in_sync_replicas" not in dev.rocketmq


def test_the_aws_profile_is_also_the_one_of_the_kubeconfig() -> None:
    assert parse(DECLARED, texts(), "prod").cluster == {"cluster_name": "prod", "profile": "prod"}


def test_each_choice_is_taken() -> None:
    assert prod(oidcProvider="existing").oidc_provider_exists
    existing = {"ebsCsiDriver": "existing", "ebsCsiRoleName": None}
    assert prod(**existing).ebs_csi.get("existing")
    own = {"storageClass": "fast", "newStorageClass": {"volumeType": "gp3", "kmsKeyId": KEY}}
    assert prod(**own).ebs_csi.get("kms_key_arns") == [KEY]
    assert "kms_key_arns" not in prod(**own, **existing).ebs_csi
    assert prod(ebsCsiPermissions="v2").ebs_csi.get("permissions") == "v2"
    assert prod(allowVolumeExpansion=False).storage.get("allow_volume_expansion") is False
    assert prod(createNamespace=False, podSecurity="").rocketmq["create_namespace"] is False
    assert prod(protectData=False).rocketmq["protect_data"] is False


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"brokerGroup": []}, r"unknown key 'brokerGroup'; did you mean 'brokerGroups'\?; accepted are those of docs/"),
        ({"clusterName": None}, "clusterName is missing; it is a string: Name of the EKS cluster"),
        ({"brokerGroups": None}, "brokerGroups is missing; it is a list"),
        ({"allowVolumeExpansion": "maybe"}, "allowVolumeExpansion is 'maybe'; accepted is true or false"),
        ({"minInSyncReplicas": "two"}, "minInSyncReplicas is 'two'; accepted is a whole number"),
        ({"minInSyncReplicas": True}, "minInSyncReplicas is True; accepted is a whole number"),
        ({"minInSyncReplicas": 1.5}, "minInSyncReplicas is 1.5; accepted is a whole number"),
        ({"oidcClientIds": [1]}, "oidcClientIds has 1; accepted are strings"),
        ({"oidcClientIds": ["*"]}, r"oidcClientIds: audience is '\*'; accepted is one audience exactly"),
        ({"oidcProvider": "exists"}, r"oidcProvider is 'exists'; accepted are 'create', 'existing'; did you mean"),
        ({"ebsCsiDriver": "import"}, "ebsCsiDriver is 'import'; accepted are 'create', 'existing'"),
        ({"ebsCsiPermissions": "v3"}, "ebsCsiPermissions is 'v3'; accepted are 'legacy', 'v2', 'cluster_scoped', 'gen"),
        ({"durability": "stritc"}, r"durability is 'stritc'; .*; did you mean 'strict'\?"),
        ({"clusterRoleArn": "foo"}, "^clusterRoleArn is 'foo'; accepted is the ARN of an IAM role"),
        ({"namespace": "RocketMQ"}, "namespace is 'RocketMQ'; accepted are 1 to 63 lower-case letters"),
        ({"nameServers": [2]}, r"nameServers is \[2\]; accepted is an object"),
        ({"brokerGroups": ["broker-a"]}, r"brokerGroups\[0\] is 'broker-a'; accepted is an object"),
        (
            {"brokerGroups": group(replica=3)},
            r"brokerGroups\['broker-a'\].replica is not known; did you mean 'replicas'\?; .* storageClass, ",
        ),
        ({"brokerGroups": group(name=None)}, r"brokerGroups\[0\].name is missing; it is a string"),
        (
            {"brokerGroups": group(replicas="3")},
            r"brokerGroups\['broker-a'\].replicas is '3'; accepted is a whole number",
        ),
        (
            {"pods": {"nodeAffinity": {"preferred": [{"match": []}]}}},
            r"pods.nodeAffinity.preferred\[0\].weight is missing; it is a whole number",
        ),
        (
            {"brokerGroups": [{"name": "a", "pods": {"nodeAffinity": {"required": [{"key": "a", "operator": "Is"}]}}}]},
            r"brokerGroups\['a'\].pods.nodeAffinity.required\[0\].operator is 'Is'; accepted are 'In'",
        ),
        ({"pods": {"nodeSelectors": {}}}, r"pods.nodeSelectors is not known; did you mean 'nodeSelector'\?"),
        ({"pods": {"nodeSelector": {"pool": 5}}}, r"pods.nodeSelector\['pool'\] is 5; accepted is a string"),
        ({"brokerGroups": group(replicas=0)}, r"brokerGroups\['broker-a'\].replicas is 0; durability 'strict'"),
        ({"nameServers": without_storage(replicas=0)}, "nameServers.replicas is 0; accepted is 1 to 1000"),
        (
            {"brokerGroups": group(memory="4GB")},
            r"brokerGroups\['broker-a'\].memory is '4GB'; accepted is a size above 0",
        ),
        (
            {"brokerGroups": group(storage="-1Gi")},
            r"brokerGroups\['broker-a'\].storage is '-1Gi'; accepted is a size above 0",
        ),
        ({"brokerGroups": group(config=[])}, r"brokerGroups\['broker-a'\].config is \[\]; accepted is an object"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_is_accepted(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prod(**changed)


@pytest.mark.parametrize("zone", ["us-west-2a", "us-west-2-lax-1a", "us-west-2-wl1-las-wlz-1"])
def test_zones_of_pods_are_those_of_the_region(zone: str) -> None:
    pods = {"zones": [zone, "us-west-2b", "us-west-2c"]}
    values = checked_values(DECLARED, texts(pods=pods))
    assert assemble(DECLARED, values, None, "us-west-2").rocketmq["pods"] == pods
    assert assemble(DECLARED, values, None).rocketmq["pods"] == pods
    for region in ("us-west-1", "us-west"):
        with pytest.raises(ValueError, match=f"^pods.zones has '{zone}', no zone of aws:region, '{region}'"):
            assemble(DECLARED, values, None, region)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"rocketmqVersion": "5.5.9"},
            "rocketmqVersion is '5.5.9'; accepted are '5.3.3', '5.4.0', '5.5.0'; did you mean '5.5.0'?",
        ),
        (
            {"minInSyncReplicas": 3},
            "minInSyncReplicas is 3, brokerGroups['broker-a'].replicas is 3; accepted is 1 to 2, so that writes go on "
            "while one member restarts, or 4 replicas and more",
        ),
        (
            {"brokerGroups": group(replicas=2)},
            "brokerGroups['broker-a'].replicas is 2; durability 'strict' needs 3 or more: give it 3, or take "
            "durability 'balanced' or 'dev', which promises less",
        ),
        (
            {"controllers": role(replicas=4)},
            "controllers.replicas is 4; accepted with durability 'strict' are odd numbers from 3 on: 3 elect a master "
            "while one of them is away",
        ),
        (
            {"brokerGroups": group(memory="1Gi")},
            "brokerGroups['broker-a'].memory is 1Gi; a broker needs 1536Mi or more: raise it, or leave it out for the "
            "default",
        ),
        (
            {"nameServers": without_storage(memory="256Mi")},
            "nameServers.memory is 256Mi; a nameserver needs 320Mi or more: raise it, or leave it out for the default",
        ),
        (
            {"brokerGroups": group(storage="3Gi")},
            "brokerGroups['broker-a'].storage is 3Gi; accepted is room for 4 files of its log, 4096Mi, or more (a "
            "broker's config can have a smaller mappedFileSizeCommitLog)",
        ),
        (
            {"brokerGroups": group(storage="100GB")},
            "brokerGroups['broker-a'].storage is '100GB'; accepted is a size above 0 with a unit, such as '512Mi', "
            "'4Gi' or '100Gi'",
        ),
        (
            {"nameServers": without_storage(cpu="fast")},
            "nameServers.cpu is 'fast'; accepted are CPUs such as '500m' or '2'",
        ),
        (
            {"brokerGroups": group(name="Broker_A")},
            "brokerGroups['Broker_A'].name is 'Broker_A'; accepted are 1 to 63 lower-case letters, digits and '-', "
            "beginning and ending with a letter or a digit",
        ),
        (
            {"brokerGroups": group(replicas=1), "durability": "dev", "minInSyncReplicas": 2},
            "minInSyncReplicas is 2, brokerGroups['broker-a'].replicas is 1; accepted is 1, or 3 replicas and more",
        ),
        (
            {"pods": {"zones": ["ap-southeast-1a", "ap-southeast-1b"]}},
            "pods.zones: controllers may run in ap-southeast-1a, ap-southeast-1b only; durability 'strict' spreads it "
            "over 3; accepted are 3 zones or more, or take durability 'balanced' or 'dev', which promises less",
        ),
        (
            {"consumerGroups": [{"name": "a b"}]},
            "consumerGroups['a b'].name is 'a b'; accepted are 1 to 120 letters, digits, '_', '-', '%' and '|'",
        ),
        (
            {"networkPolicies": {"dns": [{"cidr": "10.0.0.0/8"}]}},
            "networkPolicies.dns given with networkPolicies.egress false, which lets pods ask anyone: nothing would be "
            "made of it; leave it out, or set networkPolicies.egress to true",
        ),
        (
            {"brokerGroups": group(config={"aclEnable": True})},
            "brokerGroups['broker-a'].config: aclEnable is read by nobody in RocketMQ 5.5.0, so everyone would still "
            "be let in; leave it out, access control has an argument of its own: access",
        ),
        (
            {"namespace": "-mq"},
            "namespace is '-mq'; accepted are 1 to 63 lower-case letters, digits and '-', beginning and ending with a "
            "letter or a digit",
        ),
        (
            {"brokerGroups": group() * 2},
            "brokerGroups has 'broker-a' more than once; accepted is each name once",
        ),
        (
            {"brokerGroups": group(config={"flushDiskTyp": "SYNC_FLUSH"})},
            "brokerGroups['broker-a'].config: RocketMQ 5.5.0 has no broker key 'flushDiskTyp'; did you mean "
            "'flushDiskType'?",
        ),
        (
            {"brokerGroups": group(config={"brokerIP1": "10.0.0.1"})},
            "brokerGroups['broker-a'].config: brokerIP1 is set by the deployment and cannot be overridden; leave it "
            "out",
        ),
        (
            {"ebsCsiDriver": "existing", "ebsCsiRoleName": "mine", "ebsCsiPermissions": "generated"},
            "ebsCsiRoleName, ebsCsiPermissions given with ebsCsiDriver 'existing', which uses the addon and its role "
            "as they are: nothing would be made of it; leave one of the two out",
        ),
        (
            {
                "ebsCsiDriver": "existing",
                "ebsCsiRoleName": None,
                "ebsCsi": {"identity": "pod_identity", "tags": {"team": "x"}},
            },
            "ebsCsi: identity, tags given with existing True, which uses the addon as it is: nothing would be made of "
            "it; leave one of the two out",
        ),
        (
            {"proxies": without_storage(memory="1Gi", config={"grpcThreadPoolNums": "many"})},
            "proxies.config: grpcThreadPoolNums is 'many'; accepted is a whole number, 1 to 32767 (threads, a "
            "pool without any ends the process)",
        ),
    ],
)
def test_an_error_names_the_stack_file_and_calls_a_key_what_the_file_calls_it(
    changed: dict[str, Any], text: str
) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run(settings.load, preview=True, config=stack_config("prod", changed), stack="prod")
    assert str(refusal.value) == f"Pulumi.prod.yaml: {text}"


def test_a_setting_is_never_a_secret_that_would_come_out_in_plain() -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run(settings.load, config=stack_config("prod"), encrypted=[f"{PROJECT}:proxies"], stack="prod")
    assert str(refusal.value) == (
        "Pulumi.prod.yaml: proxies is encrypted; accepted is plain text, `access` alone can be a secret: set it again "
        "without --secret"
    )


def test_a_users_password_is_encrypted_in_the_stack_file_and_stays_secret() -> None:
    config = stack_config("prod", {"access": {"users": [{"name": "orders", "password": "correct-horse"}]}})
    with pytest.raises(pulumi.RunError) as refusal:
        run(settings.load, config=config, stack="prod")
    assert str(refusal.value) == (
        "Pulumi.prod.yaml: access.users['orders'].password is in plain text; leave it out and one is generated, or "
        "set it with `pulumi config set --path 'access.users[0].password' --secret`"
    )

    def program() -> None:
        (user,) = settings.load().rocketmq["access"]["users"]
        pulumi.export("secret", pulumi.Output.from_input(user["password"]).is_secret())

    assert run(program, config=config, encrypted=[f"{PROJECT}:access"], stack="prod").outputs == {"secret": True}


def test_a_key_in_a_misspelt_namespace_is_refused_and_one_for_a_provider_is_not() -> None:
    config = stack_config("prod", {"kubernetes:namespace": "apps", "pulumi:tags": "{}"})
    run(settings.load, config=config, stack="prod")
    with pytest.raises(pulumi.RunError) as refusal:
        run(settings.load, config={**config, "eks-rocktmq:namespace": "mq"}, stack="prod")
    assert str(refusal.value) == (
        "Pulumi.prod.yaml: unknown namespace 'eks-rocktmq' in 'eks-rocktmq:namespace'; did you mean 'eks-rocketmq'?"
    )


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_network_load_balancer_is_spelled_out_for_the_component_and_is_internal(stack: str) -> None:
    given = {
        "hostname": "mq.example.com",
        "port": 443,
        "sourceRanges": ["10.0.0.0/8"],
        "annotations": {"example.com/team": "mq"},
        "networkLoadBalancer": {"certificateArn": CERTIFICATE, "tlsPorts": [443], "deregistrationSeconds": 5},
    }
    config = stack_config(stack, {"external": given})
    seen: list[Any] = []
    run(lambda: seen.append(settings.load().rocketmq["external"]), config=config, stack=stack)
    made = network_load_balancer({"certificate_arn": CERTIFICATE, "tls_ports": [443], "deregistration_seconds": 5})
    assert seen == [
        {
            "hostname": "mq.example.com",
            "port": 443,
            "source_ranges": ["10.0.0.0/8"],
            **made,
            "annotations": {"example.com/team": "mq", **made["annotations"]},
        }
    ]
    assert made["annotations"]["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internal"


def test_a_network_load_balancer_may_be_all_that_is_said_of_the_way_in() -> None:
    assert prod(external={"networkLoadBalancer": {}}).rocketmq["external"] == network_load_balancer({})


@pytest.mark.parametrize(
    ("external", "message"),
    [
        ({"networkLoadBalancer": "internal"}, "external.networkLoadBalancer is 'internal'; accepted is an object with"),
        (
            {"networkLoadBalancer": {"internetfacing": True}},
            "external.networkLoadBalancer.internetfacing is not known; did you mean 'internetFacing'?",
        ),
        (
            {"networkLoadBalancer": {"deregistrationSeconds": 3601}},
            "external.networkLoadBalancer: deregistrationSeconds is 3601; accepted is 0 to 3600",
        ),
        (
            {
                "networkLoadBalancer": {
                    "certificateArn": CERTIFICATE,
                    "tlsPorts": [443],
                }
            },
            "external.networkLoadBalancer.tlsPorts names 443, and external has no such port, so port 8081 would take "
            "plain text; accepted is 8081: name it, set external.port to 443, or leave it out for TLS on all ports",
        ),
        (
            {
                "remoting": True,
                "hostname": "mq.example.com",
                "port": 443,
                "networkLoadBalancer": {
                    "certificateArn": CERTIFICATE,
                    "tlsPorts": [443, 8081],
                },
            },
            "external.networkLoadBalancer.tlsPorts names 8081, and external has no such port, so port 443 and 8080",
        ),
        (
            {"networkLoadBalancer": {"tlsPorts": [443]}},
            "external.networkLoadBalancer: tlsPorts is [443] without certificateArn",
        ),
        (
            {"networkLoadbalancer": {}},
            "external.networkLoadbalancer is not known; did you mean 'networkLoadBalancer'?",
        ),
        *(
            (
                {"networkLoadBalancer": {}, key: value},
                f"external has {key}, which networkLoadBalancer decides; leave one of the two out",
            )
            for key, value in {"type": "NodePort", "loadBalancerClass": "example.com/lb"}.items()
        ),
        (
            {"networkLoadBalancer": {}, "annotations": {SCHEME: "internet-facing"}},
            f"external.annotations has {SCHEME}, which networkLoadBalancer decides; leave one of the two out",
        ),
    ],
)
def test_a_network_load_balancer_that_cannot_be_is_refused(external: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        prod(external=external)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "aws:allowedAccountId",
            "'aws:allowedAccountId' is no setting of the AWS provider; did you mean 'allowedAccoun",
        ),
        ("aws:regoin", "'aws:regoin' is no setting of the AWS provider; did you mean 'region'?"),
        ("awss:region", "unknown namespace 'awss' in 'awss:region'; did you mean 'aws'?"),
        ("AWS:region", "unknown namespace 'AWS' in 'AWS:region'; did you mean 'aws'?"),
        ("kubernets:namespace", "unknown namespace 'kubernets' in 'kubernets:namespace'; did you mean 'kubernetes'?"),
    ],
)
@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_misspelt_key_of_a_provider_is_refused_as_it_would_turn_the_account_guard_off(
    stack: str, key: str, message: str
) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run(settings.load, config={**stack_config(stack), key: '["140023393377"]'}, stack=stack)
    assert str(refusal.value).startswith(f"Pulumi.{stack}.yaml: {message}")


def test_keys_of_other_providers_and_keys_that_are_near_nothing_are_left_alone() -> None:
    others = dict.fromkeys(
        ["aws:somethingNew", "awsx:x", "aws-native:region", "kubernetes-cert-manager:x", "tls:x"], ""
    )
    run(settings.load, config={**stack_config("prod"), **others}, stack="prod")


def test_every_setting_of_the_provider_is_known() -> None:
    parameters = inspect.signature(aws.Provider._internal_init).parameters
    own = set(parameters) - {"__self__", "__props__", "resource_name", "opts"}
    # What the SDK and the engine read of the namespace beside the provider.
    assert set(stack_file.AWS_KEYS) == {to_camel_case(name) for name in own} | {"version", "pluginDownloadURL"}


@pytest.mark.parametrize("key", stack_file.SWITCHES)
def test_an_empty_object_in_the_stack_file_is_refused_where_leaving_it_out_means_none(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DECLARED[key]["default"] == {}
    for file in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / file, tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    run(settings.load, config=stack_config("prod"), stack="prod")
    with (tmp_path / "Pulumi.prod.yaml").open("a") as file:
        file.write(f"  {PROJECT}:{key}: {{}}\n")
    with pytest.raises(pulumi.RunError) as refusal:
        run(settings.load, config=stack_config("prod"), stack="prod")
    least = stack_file.SWITCHES[key]
    assert str(refusal.value) == (
        f"Pulumi.prod.yaml: {key} is empty; give it `{least}` at least, or leave {key} out and there is none"
    )


@pytest.mark.parametrize("key", sorted({*stack_file.SWITCHES} - {"newCluster", "tls", "dashboard"}))
def test_the_least_that_turns_something_on_is_taken(key: str) -> None:
    least = {key: yaml.safe_load(stack_file.SWITCHES[key])}
    result = prod(**least, storageClass="rocketmq-gp3")
    assert result.storage["create"] if key == "newStorageClass" else key in result.rocketmq


def test_every_argument_has_its_name_in_the_stack_file() -> None:
    names = list(settings.ROCKETMQ_KEYS.values())
    assert set(settings.ROCKETMQ_KEYS) == set(RocketMqArgs.__annotations__)
    assert sorted(set(names)) == sorted(names)
    assert set(names) <= set(DECLARED)


def test_the_error_names_the_stack_file_and_comes_without_a_traceback() -> None:
    with pytest.raises(
        pulumi.RunError, match=r"^Pulumi\.prod\.yaml: unknown key 'storageclass'; did you mean 'storageClass'"
    ):
        run(settings.load, preview=True, config=stack_config("prod", {"storageclass": "gp2"}), stack="prod")
