"""Keys of Pulumi's AWS provider in a stack file."""

import inspect

import pulumi_aws as aws
import pytest

from eks_rocketmq.args.argument_path import to_camel_case
from eks_rocketmq.stack import stack_file
from eks_rocketmq.stack.settings import AwsSettings, parse
from tests.unit.stack.settings_case import ROLE, get_error, load, texts


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


def test_a_misspelt_namespace_is_rejected_and_provider_keys_are_accepted() -> None:
    load("prod", {"kubernetes:namespace": "apps", "pulumi:tags": "{}"})
    assert get_error("prod", {"eks-rocktmq:rocketmq": "mq"}) == (
        "Pulumi.prod.yaml: eks-rocktmq:rocketmq: unknown namespace 'eks-rocktmq'. Did you mean 'eks-rocketmq'?"
    )


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
