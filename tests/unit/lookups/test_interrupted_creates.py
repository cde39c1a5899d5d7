"""Lookups of resources that an interrupted update created, with stubbed boto3 clients."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from eks_rocketmq.lookups import interrupted_creates
from eks_rocketmq.lookups.aws_resources import CLUSTER, ROLE
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.interrupted_creates import (
    ACCESS_ENTRY,
    ACCESS_POLICY,
    KEY,
    NAT_GATEWAY,
    NODE_GROUP,
    ROUTE,
    ROUTE_TABLE_ASSOCIATION,
    UnfinishedError,
    can_find_created,
    find_created,
    wait_until_ready,
)
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN
from tests.unit.harness import REPOSITORY
from tests.unit.harness.fakes import ACCOUNT, REGION

GOLDEN = REPOSITORY / "tests" / "unit" / "golden"
OWNER_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/staging"}
TAGS = {"Name": "network-vpc", **OWNER_TAGS}
PAIRS = [{"Key": key, "Value": value} for key, value in TAGS.items()]
FILTERS = [{"Name": f"tag:{key}", "Values": [value]} for key, value in TAGS.items()]
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/team"
POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
VPC, LAUNCH_TEMPLATE = "aws:ec2/vpc:Vpc", "aws:ec2/launchTemplate:LaunchTemplate"
EC2_TYPES = sorted(interrupted_creates._EC2_LOOKUPS)


@cache
def client(service: str) -> Any:
    """Return a cached client. Creating one takes a third of a second."""
    return boto3.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")


class Session:
    """Boto3 session whose clients return scripted responses, validated by botocore's service models."""

    def __init__(self) -> None:
        self._script: dict[str, list[tuple[str, dict[str, Any] | str, dict[str, Any]]]] = {}
        self._stubs: dict[str, Stubber] = {}

    def respond(self, service: str, operation: str, answer: dict[str, Any] | str, **request: Any) -> "Session":
        self._script.setdefault(service, []).append((operation, answer, request))
        return self

    def client(self, service_name: str) -> Any:
        if service_name not in self._stubs:
            self._stubs[service_name] = Stubber(client(service_name))
            for operation, answer, request in self._script[service_name]:
                if isinstance(answer, str):
                    self._stubs[service_name].add_client_error(operation, service_error_code=answer)
                else:
                    self._stubs[service_name].add_response(operation, answer, request or None)
            self._stubs[service_name].activate()
            STUBS.append(self._stubs[service_name])
        return client(service_name)


STUBS: list[Stubber] = []


@pytest.fixture(autouse=True)
def _deactivate_stubs_after_each_test() -> Iterator[None]:
    yield
    unstub()


def unstub() -> None:
    while STUBS:
        STUBS.pop().deactivate()


def found(session: Session, type_: str, inputs: dict[str, Any], *known: str) -> list[ExistingResource]:
    unstub()
    assert can_find_created(type_, inputs)
    return find_created(lambda: session, type_, inputs, known)


def test_every_aws_type_of_the_stacks_has_a_lookup() -> None:
    """Without a lookup, a resource would be created a second time after an interrupted update."""
    golden_steps = [step for path in GOLDEN.rglob("*.json") for step in steps(json.loads(path.read_text()))]
    aws = {step["type"]: step.get("inputs", {}) for step in golden_steps if str(step["type"]).startswith("aws:")}
    assert len(aws) > 20
    covered = {
        *interrupted_creates._BY_TAGS,
        *interrupted_creates._BY_NAME,
        *interrupted_creates.AWS_LOOKUPS,
        *interrupted_creates.REPEATABLE_CREATES,
    }
    assert set(aws) - covered == set()


def steps(document: Any) -> list[dict[str, Any]]:
    """Return every object of a golden file that has a type."""
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    own = [document] if isinstance(document, dict) and isinstance(document.get("type"), str) else []
    return [*own, *(each for value in inner for each in steps(value))]


@pytest.mark.parametrize("type_", EC2_TYPES)
def test_ec2_resources_without_names_are_found_by_all_their_tags(type_: str) -> None:
    operation, listed, id_ = interrupted_creates._EC2_LOOKUPS[type_]
    filter_ = "Filter" if type_ in {NAT_GATEWAY, "aws:ec2/flowLog:FlowLog"} else "Filters"
    answer = {listed: [{id_: "id-1", "Tags": PAIRS}, {id_: "id-2", "Tags": PAIRS}, {id_: "id-3", "Tags": PAIRS[1:]}]}

    def session() -> Session:
        return Session().respond("ec2", operation, answer, **{filter_: FILTERS})

    assert [each.id for each in found(session(), type_, {"tags": TAGS})] == ["id-1", "id-2"]
    assert found(session(), type_, {"tags": TAGS}, "id-1") == [ExistingResource("id-2", TAGS)]


def test_deleted_resources_are_ignored() -> None:
    gateways = [{"NatGatewayId": f"nat-{state}", "State": state, "Tags": PAIRS} for state in ("deleted", "pending")]
    session = Session().respond("ec2", "describe_nat_gateways", {"NatGateways": gateways})
    assert [each.id for each in found(session, NAT_GATEWAY, {"tags": TAGS})] == ["nat-pending"]


def test_resources_with_the_same_tags_are_distinguished_by_name() -> None:
    templates = [
        {"LaunchTemplateId": f"lt-{name}", "LaunchTemplateName": name, "Tags": PAIRS} for name in ("one", "two")
    ]
    session = Session().respond("ec2", "describe_launch_templates", {"LaunchTemplates": templates})
    assert found(session, LAUNCH_TEMPLATE, {"name": "two", "tags": TAGS}) == [ExistingResource("lt-two", TAGS)]


@pytest.mark.parametrize("type_", [VPC, KEY, NODE_GROUP])
def test_resources_without_the_stack_tag_cannot_be_looked_up(type_: str) -> None:
    """An empty filter would match every resource of the account."""
    assert not can_find_created(type_, {"tags": {"Name": "network-vpc"}, "clusterName": "staging"})
    assert not can_find_created(type_, {})


@pytest.mark.parametrize(
    ("type_", "inputs"),
    [
        ("aws:s3/bucket:Bucket", {"bucket": "b", "tags": OWNER_TAGS}),
        (ROLE, {}),
        (ROLE, {"name": UNKNOWN}),
        (ROUTE, {"routeTableId": "rtb-1", "destinationIpv6CidrBlock": "::/0"}),
    ],
)
def test_other_types_and_unknown_names_cannot_be_looked_up(type_: str, inputs: dict[str, Any]) -> None:
    assert not can_find_created(type_, inputs)


def test_a_default_security_group_counts_as_not_created() -> None:
    assert found(Session(), "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": "vpc-1"}) == []


def test_a_role_with_other_tags_is_not_the_created_one() -> None:
    role = {
        **{"Path": "/", "RoleName": "driver", "RoleId": "AROA0123456789012", "CreateDate": "2026-01-01T00:00:00Z"},
        **{"Arn": f"arn:aws:iam::{ACCOUNT}:role/driver"},
    }
    inputs = {"name": "driver", "tags": OWNER_TAGS}

    def session(**tags: str) -> Session:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        return Session().respond("iam", "get_role", {"Role": {**role, "Tags": pairs}})

    assert found(session(**OWNER_TAGS), ROLE, inputs) == [ExistingResource("driver", OWNER_TAGS)]
    assert found(session(team="x"), ROLE, inputs) == []
    assert found(session(), ROLE, {"name": "driver"}) == [ExistingResource("driver")]


def test_a_cluster_is_found_by_its_name() -> None:
    inputs = {"name": "staging", "tags": OWNER_TAGS}
    session = Session().respond(
        "eks", "describe_cluster", {"cluster": {"name": "staging", "tags": OWNER_TAGS}}, name="staging"
    )
    assert found(session, CLUSTER, inputs) == [ExistingResource("staging", OWNER_TAGS)]
    assert found(Session().respond("eks", "describe_cluster", "ResourceNotFoundException"), CLUSTER, inputs) == []


def test_a_node_group_is_found_by_its_name_prefix_and_the_stack_tag() -> None:
    inputs = {"clusterName": "staging", "nodeGroupNamePrefix": "nodes-general-1-", "tags": OWNER_TAGS}
    names = ["nodes-general-1-2026", "nodes-general-1-old", "nodes-other-1"]
    session = Session().respond("eks", "list_nodegroups", {"nodegroups": names}, clusterName="staging")
    for name, tags in zip(names[:2], (OWNER_TAGS, {}), strict=True):
        answer = {"nodegroup": {"nodegroupName": name, "tags": tags}}
        session.respond("eks", "describe_nodegroup", answer, clusterName="staging", nodegroupName=name)
    assert found(session, NODE_GROUP, inputs) == [ExistingResource("staging:nodes-general-1-2026", OWNER_TAGS)]
    assert found(Session().respond("eks", "list_nodegroups", "ResourceNotFoundException"), NODE_GROUP, inputs) == []


def test_access_entries_and_policies_are_found_by_cluster_and_principal() -> None:
    about = {"clusterName": "staging", "principalArn": PRINCIPAL}
    entry = Session().respond("eks", "describe_access_entry", {"accessEntry": {"tags": OWNER_TAGS}}, **about)
    assert found(entry, ACCESS_ENTRY, {**about, "tags": OWNER_TAGS}) == [
        ExistingResource(f"staging:{PRINCIPAL}", OWNER_TAGS)
    ]
    inputs = {**about, "policyArn": POLICY}
    answer = {"associatedAccessPolicies": [{"policyArn": POLICY}, {"policyArn": "other"}]}
    policies = Session().respond("eks", "list_associated_access_policies", answer, **about)
    assert found(policies, ACCESS_POLICY, inputs) == [ExistingResource(f"staging#{PRINCIPAL}#{POLICY}")]
    for type_, operation in (
        (ACCESS_ENTRY, "describe_access_entry"),
        (ACCESS_POLICY, "list_associated_access_policies"),
    ):
        assert found(Session().respond("eks", operation, "ResourceNotFoundException"), type_, inputs) == []


def key(id_: str, **about: Any) -> dict[str, Any]:
    return {"KeyMetadata": {"KeyId": id_, "KeyManager": "CUSTOMER", "KeyState": "Enabled", "Description": "d", **about}}


def test_a_kms_key_is_found_by_description_and_tags() -> None:
    kms_tags = {"Tags": [{"TagKey": name, "TagValue": value} for name, value in OWNER_TAGS.items()]}
    session = Session().respond("kms", "list_keys", {"Keys": [{"KeyId": f"k{number}"} for number in range(5)]})
    session.respond("kms", "describe_key", "AccessDeniedException")
    session.respond("kms", "describe_key", key("k1", KeyState="PendingDeletion"))
    session.respond("kms", "describe_key", key("k2", Description="other")).respond(
        "kms", "list_resource_tags", kms_tags
    )
    session.respond("kms", "describe_key", key("k3")).respond("kms", "list_resource_tags", {"Tags": []})
    session.respond("kms", "describe_key", key("k4")).respond("kms", "list_resource_tags", kms_tags)
    assert found(session, KEY, {"description": "d", "tags": OWNER_TAGS}) == [ExistingResource("k4", OWNER_TAGS)]


def test_routes_and_associations_are_found_in_their_route_table() -> None:
    table = {
        "Routes": [{"DestinationCidrBlock": "10.0.0.0/16"}, {"DestinationCidrBlock": "0.0.0.0/0"}],
        "Associations": [{"Main": True}, {"SubnetId": "subnet-1"}],
    }

    def session() -> Session:
        return Session().respond("ec2", "describe_route_tables", {"RouteTables": [table]}, RouteTableIds=["rtb-1"])

    route = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}
    assert found(session(), ROUTE, route) == [ExistingResource("rtb-1_0.0.0.0/0")]
    association = {"routeTableId": "rtb-1", "subnetId": "subnet-1"}
    assert found(session(), ROUTE_TABLE_ASSOCIATION, association) == [ExistingResource("subnet-1/rtb-1")]
    assert found(session(), ROUTE_TABLE_ASSOCIATION, {**association, "subnetId": "subnet-2"}) == []
    gone = Session().respond("ec2", "describe_route_tables", "InvalidRouteTableID.NotFound")
    assert found(gone, ROUTE, route) == []


def test_resources_still_being_created_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupted_creates, "_WAITER_CONFIG", {"Delay": 0, "MaxAttempts": 3})

    def session(*states: str) -> Session:
        scripted = Session()
        for state in states:
            scripted.respond("eks", "describe_cluster", {"cluster": {"status": state}}, name="staging")
        return scripted

    creating, failed = session("CREATING", "ACTIVE"), session("FAILED")
    wait_until_ready(lambda: creating, CLUSTER, ExistingResource("staging"))
    unstub()
    with pytest.raises(UnfinishedError, match=r"Cluster 'staging', which an interrupted .* is not ready: .*FAILED"):
        wait_until_ready(lambda: failed, CLUSTER, ExistingResource("staging"))


@pytest.mark.parametrize(
    ("type_", "id_", "service", "operation", "answer", "request_"),
    [
        (
            *(NODE_GROUP, "staging:general", "eks", "describe_nodegroup", {"nodegroup": {"status": "ACTIVE"}}),
            {"clusterName": "staging", "nodegroupName": "general"},
        ),
        (
            *("aws:eks/addon:Addon", "staging:coredns", "eks", "describe_addon", {"addon": {"status": "ACTIVE"}}),
            {"clusterName": "staging", "addonName": "coredns"},
        ),
        (
            *(NAT_GATEWAY, "nat-1", "ec2", "describe_nat_gateways", {"NatGateways": [{"State": "available"}]}),
            {"NatGatewayIds": ["nat-1"]},
        ),
    ],
)
def test_each_type_is_awaited_by_its_id(
    type_: str, id_: str, service: str, operation: str, answer: dict[str, Any], request_: dict[str, Any]
) -> None:
    wait_until_ready(lambda: Session().respond(service, operation, answer, **request_), type_, ExistingResource(id_))


def test_types_that_are_ready_at_once_are_not_awaited() -> None:
    wait_until_ready(lambda: pytest.fail("AWS was called"), VPC, ExistingResource("vpc-1"))
