"""Settings of a stack, read from its configuration: fields, defaults and secrets."""

import json
from typing import Any, get_args, is_typeddict

import pulumi
import pytest
import yaml

from eks_rocketmq.args.argument_path import ARGS, to_camel_case
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.settings import parse
from eks_rocketmq.stack.stack_keys import KEYS
from eks_rocketmq.stack.stack_paths import ACCESS
from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config
from tests.unit.harness.rejections import list_rejections
from tests.unit.stack.settings_case import (
    KEY,
    OPTIONAL_FEATURES,
    get_error,
    group,
    prod,
    prod_rocketmq,
    texts,
    to_snake_case,
)


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


def test_the_committed_stack_files_contain_only_known_keys() -> None:
    assert {*texts("prod"), *texts("staging")} <= set(KEYS)


def test_an_omitted_argument_gets_the_default_of_its_component() -> None:
    absent = {"min_in_sync_replicas", "image", "image_digest"}
    assert absent.isdisjoint(prod_rocketmq(minInSyncReplicas=None))
    dev = prod_rocketmq(profile="dev", minInSyncReplicas=None, brokerGroups=group(replicas=1))
    assert "min_in_sync_replicas" not in dev


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


@pytest.mark.parametrize("argument", OPTIONAL_FEATURES)
def test_an_empty_object_enables_an_optional_feature_of_rocketmq(argument: str) -> None:
    assert argument not in prod().rocketmq
    assert prod_rocketmq(**{to_camel_case(argument): {}}).get(argument) == {}


@pytest.mark.parametrize("key", ["network", "nodeGroups", "addons", "oidc", "ebsCsi"])
def test_an_empty_object_means_the_defaults_of_a_component(key: str) -> None:
    given = texts("prod")
    assert parse({**given, key: "{}"}) == parse({each: text for each, text in given.items() if each != key})


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
