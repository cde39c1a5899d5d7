"""Permissions of the deploy role for a stack that creates its own cluster, compared with the calls of its resources."""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from eks_rocketmq.eks.iam.policy_documents import CUSTOMER_POLICY_LIMIT
from tests.unit.ci_calls import CALLS, OWNER, ec2, holder, marked, role_arn
from tests.unit.ci_role_case import ADMINISTRATOR, DRIVER_BOUNDARY, EXAMPLE, arn, deploy_example, iam
from tests.unit.harness import Recording, run_stack
from tests.unit.harness.iam_lint import permission_problems
from tests.unit.harness.permissions import Request, allows

# An import of one class of `aws.s3` loads all its classes, deprecated ones included.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")

FLOW_LOG_BOUNDARY = iam("policy/eks-rocketmq-ci-flow-log-boundary")
KEY = arn("kms", "key/5678")
# YAML blocks of the README's section: settings of the example, and keys to add to the stack file.
SECTION = (EXAMPLE / "README.md").read_text().partition("## A stack that creates its own cluster")[2]
EXAMPLE_SETTINGS, STACK_SETTINGS = (
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
)
SETTINGS: Mapping[str, Any] = {key.removeprefix("ci-role:"): value for key, value in EXAMPLE_SETTINGS.items()}


def deploy(*, preview: bool = False, **other: Any) -> Recording:
    """Deploy the example with the settings of the README and some changes."""
    return deploy_example(preview=preview, **{**SETTINGS, **other})


@pytest.fixture(scope="module")
def deployed() -> Recording:
    return deploy()


@pytest.fixture(scope="module")
def staging(deployed: Recording) -> Recording:
    """Return the staging stack with the keys that the README adds to its stack file."""
    cluster = {**STACK_SETTINGS["eks-rocketmq:cluster"], "secretsKmsKeyArn": deployed.outputs["secretsKey"]}
    return run_stack("staging", overrides={**STACK_SETTINGS, "eks-rocketmq:cluster": cluster})


def get_policy(deployed: Recording, part: str) -> str:
    """Return the JSON of a policy by the end of its name."""
    return deployed.one("aws:iam/policy:Policy", f"eks-rocketmq-ci-{part}").inputs["policy"]


def is_allowed(deployed: Recording, request: Request) -> bool:
    """Return whether the deploy role is allowed a request."""
    documents = [
        deployed.one("RolePolicy", "deploy-policy").inputs["policy"],
        *(get_policy(deployed, part) for part in ("new-network", "new-cluster")),
    ]
    return allows(documents, request, deployed.one("aws:iam/policy:Policy", "boundary").inputs["policy"])


def test_a_new_cluster_adds_two_deploy_policies_a_key_and_a_boundary(deployed: Recording) -> None:
    expected = deploy(newClusterStack="").inventory()
    assert deployed.inventory() == {
        **expected,
        "aws:iam/policy:Policy": 5,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 2,
        "aws:kms/key:Key": 2,
        "eks-rocketmq-ci:index:NewCluster": 1,
    }
    attachments = [(each.inputs["role"], each.inputs["policyArn"]) for each in deployed.by_type("RolePolicyAttachment")]
    names = ("new-cluster", "new-network")
    assert attachments == [("eks-rocketmq-ci-deploy", iam(f"policy/eks-rocketmq-ci-{name}")) for name in names]
    key = deployed.one("Key", "new-cluster-secrets")
    assert (key.protect, key.inputs["enableKeyRotation"]) == (True, True)
    named = {name: deployed.outputs[name] for name in ("driverBoundary", "flowLogBoundary", "secretsKey")}
    assert named == {"driverBoundary": DRIVER_BOUNDARY, "flowLogBoundary": FLOW_LOG_BOUNDARY, "secretsKey": KEY}


def test_a_preview_registers_the_same_resources(deployed: Recording) -> None:
    assert deploy(preview=True).inventory() == deployed.inventory()


def test_every_aws_resource_type_of_the_stack_has_a_list_of_calls(staging: Recording) -> None:
    assert sorted(CALLS) == [type_ for type_ in staging.inventory() if type_.startswith("aws:")]


@pytest.mark.parametrize("type_", sorted(CALLS))
def test_the_deploy_role_can_create_update_and_delete_the_stacks_resources(
    type_: str, staging: Recording, deployed: Recording
) -> None:
    calls = [call for resource in staging.by_type(type_) for call in CALLS[type_](staging, resource)]
    assert calls
    assert [call for call in calls if not is_allowed(deployed, call)] == []


def list_foreign_requests(call: Request) -> Iterator[Request]:
    """Yield the request for resources of another stack: another owner tag, no tag, another cluster, other roles."""
    for key in call.context:
        if key.endswith(OWNER):
            yield replace(call, context={**call.context, key: "eks-rocketmq/prod"})
            yield replace(call, context={other: value for other, value in call.context.items() if other != key})
    renamed = call.resource.replace("/staging", "/prod").replace(":role/", ":role/other-").replace("/5678", "/1234")
    renamed = renamed.replace(":network-flow-logs", ":prod")
    if renamed != call.resource and call.action != "eks:CreateCluster":
        yield replace(call, resource=renamed)
    if "iam:PermissionsBoundary" in call.context:
        yield replace(call, context={})


@pytest.mark.parametrize("type_", sorted(CALLS.keys() - {"aws:iam/openIdConnectProvider:OpenIdConnectProvider"}))
def test_the_deploy_role_cannot_change_resources_of_another_stack(
    type_: str, staging: Recording, deployed: Recording
) -> None:
    calls = [call for resource in staging.by_type(type_) for call in CALLS[type_](staging, resource)]
    others = [other for call in calls for other in list_foreign_requests(call)]
    assert others
    assert [other for other in others if is_allowed(deployed, other)] == []


LAUNCHED = {"ec2:LaunchTemplate": arn("ec2", "launch-template/lt-1")}


@pytest.mark.parametrize(
    "request_",
    [
        Request("ec2:CreateTags", ec2("instance"), {f"aws:RequestTag/{OWNER}": "eks-rocketmq/staging"}),
        Request("ec2:CreateTags", ec2("vpc"), {f"aws:RequestTag/{OWNER}": "eks-rocketmq/staging"}),
        Request("ec2:AuthorizeSecurityGroupIngress", ec2("security-group"), marked()),
        Request("ec2:RunInstances", ec2("instance")),
        Request("ec2:RunInstances", ec2("subnet"), LAUNCHED),
        Request("ec2:RunInstances", arn("ec2", "launch-template/lt-1"), LAUNCHED),
        Request("ec2:TerminateInstances", ec2("instance"), marked()),
        Request("ec2:DeleteNetworkInterface", ec2("network-interface"), marked()),
        Request("ec2:DeleteVolume", ec2("volume"), marked()),
        Request("ec2:CreateSubnet", ec2("vpc"), {f"aws:RequestTag/{OWNER}": "eks-rocketmq/staging"}),
        Request("eks:DeleteCluster", arn("eks", "cluster/staging-2")),
        Request("eks:DeleteNodegroup", arn("eks", "nodegroup/prod/staging/1")),
        Request("kms:CreateKey", "*"),
        Request("kms:Decrypt", KEY),
        Request("kms:ScheduleKeyDeletion", KEY),
        Request("kms:TagResource", KEY),
        Request("logs:DeleteLogGroup", arn("logs", "log-group:/aws/eks/staging/cluster-2")),
        Request("iam:AttachRolePolicy", iam("role/staging-vpc-cni"), {"iam:PolicyARN": "arn:aws:iam::aws:policy/P"}),
        Request("iam:PutRolePolicy", iam("role/network-flow-logs-1")),
        Request("iam:PassRole", iam("role/cluster-role-1"), {"iam:PassedToService": "lambda.amazonaws.com"}),
        Request("iam:CreateServiceLinkedRole", iam("role/aws-service-role/x/y"), {"iam:AWSServiceName": "x"}),
        Request("iam:CreatePolicyVersion", iam("policy/eks-rocketmq-ci-new-cluster")),
        Request("iam:CreateInstanceProfile", iam("instance-profile/x")),
    ],
    ids=lambda value: value.action + " " + value.resource.rpartition(":")[2],
)
def test_other_requests_of_the_deploy_role_are_denied(request_: Request, deployed: Recording) -> None:
    assert not is_allowed(deployed, request_)


def test_a_leftover_network_interface_of_a_pod_can_be_deleted(deployed: Recording) -> None:
    tag = "aws:ResourceTag/cluster.k8s.amazonaws.com/name"
    interface = Request("ec2:DeleteNetworkInterface", ec2("network-interface"), {tag: "staging"})
    assert is_allowed(deployed, interface)
    assert not is_allowed(deployed, replace(interface, context={tag: "prod"}))


@pytest.mark.parametrize("policy", ["new-network", "new-cluster", "flow-log-boundary"])
def test_the_boundary_denies_changes_to_the_policies_of_the_pipeline(policy: str, deployed: Recording) -> None:
    boundary = deployed.one("aws:iam/policy:Policy", "boundary").inputs["policy"]
    assert not allows(
        [ADMINISTRATOR], Request("iam:CreatePolicyVersion", iam(f"policy/eks-rocketmq-ci-{policy}")), boundary
    )
    assert allows([ADMINISTRATOR], Request("iam:CreatePolicyVersion", iam("policy/other")), boundary)


def test_the_flow_log_boundary_allows_only_the_actions_of_the_role(staging: Recording, deployed: Recording) -> None:
    boundary = get_policy(deployed, "flow-log-boundary")
    (statement,) = json.loads(staging.one("RolePolicy", "network-flow-logs").inputs["policy"])["Statement"]
    for group in ("network-flow-logs-1a2b3c4", "network-flow-logs-1a2b3c4:*"):
        for action in statement["Action"]:
            assert allows([boundary], Request(action, arn("logs", f"log-group:{group}"))), action
    for action, resource in (
        ("logs:PutLogEvents", arn("logs", "log-group:/aws/eks/staging/cluster")),
        ("logs:GetLogEvents", arn("logs", "log-group:network-flow-logs-1")),
        ("iam:PassRole", iam("role/admin")),
        ("s3:GetObject", "arn:aws:s3:::example-eks-rocketmq-state/x"),
    ):
        assert not allows([ADMINISTRATOR], Request(action, resource), boundary)


@pytest.mark.parametrize("part", ["new-network", "new-cluster", "flow-log-boundary"])
def test_every_action_exists_and_is_scoped_as_narrowly_as_aws_allows(part: str, deployed: Recording) -> None:
    assert permission_problems(get_policy(deployed, part), "aws") == []


def test_policies_with_long_names_are_within_the_size_limit() -> None:
    long = deploy(clusterName="c" * 100, newClusterStack="s" * 50)
    sizes = {part: len(get_policy(long, part)) for part in ("new-network", "new-cluster", "flow-log-boundary")}
    assert max(sizes.values()) <= CUSTOMER_POLICY_LIMIT, sizes


def test_the_readme_covers_every_role_and_uses_the_outputs_of_the_example(
    staging: Recording, deployed: Recording
) -> None:
    patterns = [iam(f"role/{name}") for name in SETTINGS["roleNames"]]
    roles = [role_arn(each) for each in staging.by_type("Role")]
    assert [each for each in roles if not any(fnmatch.fnmatchcase(each, pattern) for pattern in patterns)] == []
    written = [holder(staging, each).inputs["permissionsBoundary"] for each in staging.by_type("RolePolicy")]
    assert set(written) == {deployed.outputs["driverBoundary"], deployed.outputs["flowLogBoundary"]}
    assert iam("role/eks-rocketmq-ci-preview") in {
        each.inputs["principalArn"] for each in staging.by_type("AccessEntry")
    }
