"""The configuration: one schema, and an error for every way to get it wrong."""

import json
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq import settings
from eks_rocketmq.settings import Settings, assemble, checked_values, declaration, parse
from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config

DECLARED = declaration(REPOSITORY)


def prod(**changed: Any) -> Settings:
    """The prod stack's settings, with some keys changed; None takes a key away."""
    texts = stack_config("prod", changed)
    prefix = f"{PROJECT}:"
    return parse(DECLARED, {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)})


def group(**changed: Any) -> list[dict[str, Any]]:
    base = {"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}
    return [{key: value for key, value in {**base, **changed}.items() if value is not None}]


def test_the_prod_stack_is_the_original_case() -> None:
    config = prod()
    assert config.cluster == {"cluster_name": "prod"}
    assert (config.oidc_provider_exists, config.ebs_csi_driver_exists) == (False, False)
    assert (config.ebs_csi_role_name, config.ebs_csi_permissions) == ("eks-ebs-csi-driver", "legacy")
    assert (config.storage_class, config.allow_volume_expansion) == ("gp2", True)
    assert config.rocketmq["namespace"] == "rocketmq"
    assert config.rocketmq["profile"] == "strict"
    assert config.rocketmq["broker_groups"] == group()
    assert config.rocketmq["name_servers"]["replicas"] == 2
    assert config.rocketmq["controllers"]["replicas"] == 3
    assert config.rocketmq["proxies"]["replicas"] == 2


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
    prefix = f"{PROJECT}:"
    texts = {k.removeprefix(prefix): text for k, text in stack_config("prod").items() if k.startswith(prefix)}
    values = Noted(checked_values(DECLARED, texts))
    assemble(values, None)
    assert values.read == set(DECLARED)
    assert set(texts) <= set(DECLARED)


def test_every_declared_key_has_a_type_and_a_description() -> None:
    for key, declared in DECLARED.items():
        assert declared["type"] in ("string", "integer", "boolean", "array", "object"), key
        assert len(declared["description"]) > 20, key


def test_defaults_come_from_the_declaration() -> None:
    assert prod(storageClass=None, minInSyncReplicas=None).storage_class == DECLARED["storageClass"]["default"]


def test_the_aws_profile_is_also_the_one_of_the_kubeconfig() -> None:
    texts = {key.removeprefix(f"{PROJECT}:"): text for key, text in stack_config("prod").items() if PROJECT in key}
    assert parse(DECLARED, texts, "prod").cluster == {"cluster_name": "prod", "profile": "prod"}


def test_each_choice_is_taken() -> None:
    assert prod(oidcProvider="existing").oidc_provider_exists
    assert prod(ebsCsiDriver="existing").ebs_csi_driver_exists
    assert prod(ebsCsiPermissions="v2").ebs_csi_permissions == "v2"
    assert not prod(allowVolumeExpansion=False).allow_volume_expansion
    assert prod(createNamespace=False).rocketmq["create_namespace"] is False
    assert prod(protectData=False).rocketmq["protect_data"] is False


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"brokerGroup": []}, r"unknown key 'brokerGroup'; did you mean 'brokerGroups'\?; accepted are clusterName, "),
        ({"clusterName": None}, "clusterName is missing; it is a string: Name of the EKS cluster"),
        ({"brokerGroups": None}, "brokerGroups is missing; it is a list"),
        ({"allowVolumeExpansion": "maybe"}, "allowVolumeExpansion is 'maybe'; accepted is true or false"),
        ({"minInSyncReplicas": "two"}, "minInSyncReplicas is 'two'; accepted is a whole number"),
        ({"minInSyncReplicas": True}, "minInSyncReplicas is True; accepted is a whole number"),
        ({"minInSyncReplicas": 1.5}, "minInSyncReplicas is 1.5; accepted is a whole number"),
        ({"oidcProvider": "exists"}, r"oidcProvider is 'exists'; accepted are 'create', 'existing'; did you mean"),
        ({"ebsCsiDriver": "import"}, "ebsCsiDriver is 'import'; accepted are 'create', 'existing'"),
        ({"ebsCsiPermissions": "v3"}, "ebsCsiPermissions is 'v3'; accepted are 'legacy', 'v2'"),
        ({"durability": "stritc"}, r"durability is 'stritc'; .*; did you mean 'strict'\?"),
        ({"namespace": "RocketMQ"}, "namespace is 'RocketMQ'; accepted are 1 to 63 lower-case letters"),
        ({"nameServers": [2]}, "nameServers is .2.; accepted is an object"),
        ({"brokerGroups": ["broker-a"]}, r"brokerGroups\[0\] is 'broker-a'; accepted is an object"),
        (
            {"brokerGroups": group(replica=3)},
            r"unknown field in brokerGroups\[0\]: 'replica'; did you mean 'replicas'\?",
        ),
        ({"brokerGroups": group(storage=None)}, r"brokerGroups\[0\].storage is missing; it is a string"),
        ({"brokerGroups": group(replicas="3")}, r"brokerGroups\[0\].replicas is '3'; accepted is a whole number"),
        ({"brokerGroups": group(replicas=0)}, r"brokerGroups\[0\].replicas is 0; accepted is 1 or more"),
        ({"brokerGroups": group(memory="4GB")}, r"brokerGroups\[0\].memory is '4GB'; accepted is a size above 0"),
        ({"brokerGroups": group(storage="-1Gi")}, r"brokerGroups\[0\].storage is '-1Gi'; accepted is a size above 0"),
        ({"brokerGroups": group(config=[])}, r"brokerGroups\[0\].config is \[\]; accepted is an object"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_is_accepted(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prod(**changed)


def test_the_error_names_the_stack_file_and_comes_without_a_traceback() -> None:
    with pytest.raises(
        pulumi.RunError, match=r"^Pulumi\.prod\.yaml: unknown key 'storageclass'; did you mean 'storageClass'"
    ):
        run(settings.load, preview=True, config=stack_config("prod", {"storageclass": "gp2"}), stack="prod")
