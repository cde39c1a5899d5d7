"""Network path from the nodes to STS and EC2: the broken link is named with the command that repairs it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eks_rocketmq.doctor.checks.chain import Finding
from eks_rocketmq.doctor.collectors.aws_parsers import (
    parse_node_network,
    parse_route_table,
    parse_security_group,
)
from eks_rocketmq.doctor.diagnosis import diagnose
from eks_rocketmq.doctor.facts.fact_files import read_facts, write_facts
from eks_rocketmq.doctor.facts.fact_queries import list_missing_permissions
from eks_rocketmq.doctor.facts.network_facts import (
    InterfaceFacts,
    NetworkFacts,
    RouteTableFacts,
    SecurityGroupFacts,
)
from eks_rocketmq.doctor.facts.unreadable_fact import Unreadable
from tests.unit.doctor.fault_facts import HEALTH
from tests.unit.doctor.reach_faults import (
    CLOSED,
    EC2_ENDPOINT,
    EC2_TIMEOUT,
    GLOBAL_TIMEOUT,
    NODE,
    OPEN,
    STS_ENDPOINT,
    STS_TIMEOUT,
    TABLE,
    build_isolated,
    build_network,
    with_network,
)
from tests.unit.harness.fakes import REGION

HIDDEN = "no fault of routes and VPC endpoints is known"
CREATE_STS = (
    "aws ec2 create-vpc-endpoint --vpc-id vpc-1 --vpc-endpoint-type Interface --subnet-ids subnet-a "
    f"--security-group-ids <group> --service-name com.amazonaws.{REGION}.sts --private-dns-enabled"
)
RESTART = "kubectl -n kube-system rollout restart deployment/ebs-csi-controller"
ANNOTATE = (
    "kubectl -n kube-system annotate serviceaccount ebs-csi-controller-sa --overwrite "
    "eks.amazonaws.com/sts-regional-endpoints=true"
)


def judge(message: str, network: NetworkFacts | Unreadable | None, cause: str = "sts-unreachable") -> Finding:
    (finding,) = diagnose(with_network(message, network)).findings
    assert finding.id_ == cause
    assert finding.evidence[0].startswith("message: ")
    return finding


@pytest.mark.parametrize("target", ["nat-1", ""])
def test_a_security_group_of_the_endpoint_that_forbids_the_node_is_named(target: str) -> None:
    tables = (replace(TABLE, target=target),)
    finding = judge(
        STS_TIMEOUT, build_network(route_tables=tables, endpoints=(STS_ENDPOINT,), security_groups=(CLOSED,))
    )
    assert finding.is_ == "security group sg-e of VPC endpoint vpce-sts does not allow TCP 443 from node node-a"
    assert finding.commands == (
        "aws ec2 authorize-security-group-ingress --group-id sg-e "
        "--ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-node}]'",
    )
    assert "security group sg-e of vpce-sts allows TCP 443 from 10.9.0.0/16, sg-other" in finding.evidence


@pytest.mark.parametrize(
    ("groups", "hidden"),
    [
        ((OPEN,), True),
        ((SecurityGroupFacts("sg-e", groups=("sg-node",)),), True),
        ((SecurityGroupFacts("sg-e", ("0.0.0.0/0",)),), True),
        ((CLOSED,), False),
        ((SecurityGroupFacts("sg-e"),), False),
        # A prefix list may contain the node, and pods may have the allowed addresses.
        ((replace(CLOSED, prefix_lists=("pl-1",)),), True),
        ((SecurityGroupFacts("sg-e", ("10.0.0.5/32",)),), True),
        # The other group of the endpoint, or its only one, was not found.
        ((SecurityGroupFacts("sg-x", ("10.0.0.0/16",)),), True),
    ],
)
def test_a_node_is_forbidden_if_no_rule_can_allow_it(groups: Sequence[SecurityGroupFacts], hidden: bool) -> None:
    finding = judge(STS_TIMEOUT, build_isolated(STS_ENDPOINT, security_groups=tuple(groups)))
    assert (HIDDEN in finding.is_) is hidden
    assert ("does not allow" in finding.is_) is not hidden


def test_two_groups_of_an_endpoint_allow_together() -> None:
    endpoint = replace(STS_ENDPOINT, security_groups=("sg-e", "sg-f"))
    other = SecurityGroupFacts("sg-f", groups=("sg-node",))
    assert HIDDEN in judge(STS_TIMEOUT, build_isolated(endpoint, security_groups=(CLOSED, other))).is_
    assert HIDDEN in judge(STS_TIMEOUT, build_isolated(endpoint, security_groups=(CLOSED,))).is_


def test_a_prefix_list_is_named_as_not_judged() -> None:
    groups = (replace(CLOSED, prefix_lists=("pl-1",)),)
    evidence = judge(STS_TIMEOUT, build_isolated(STS_ENDPOINT, security_groups=groups)).evidence
    assert evidence[-1].endswith("10.9.0.0/16, sg-other, prefix list pl-1, which is not judged")


@pytest.mark.parametrize("target", ["", "tgw-1"])
def test_an_endpoint_without_private_dns_is_named(target: str) -> None:
    endpoint = replace(EC2_ENDPOINT, private_dns=False)
    network = build_network(route_tables=(replace(TABLE, target=target),), endpoints=(endpoint,))
    finding = judge(EC2_TIMEOUT, network, "ec2-unreachable")
    assert "VPC endpoint vpce-ec2 has no private DNS" in finding.is_
    assert finding.commands == ("aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-ec2 --private-dns-enabled",)


def test_an_endpoint_without_private_dns_is_no_fault_behind_a_nat_gateway() -> None:
    network = build_network(endpoints=(replace(EC2_ENDPOINT, private_dns=False),))
    assert HIDDEN in judge(EC2_TIMEOUT, network, "ec2-unreachable").is_


@pytest.mark.parametrize("state", ["pending", "deleting", "failed", "rejected"])
def test_an_endpoint_that_is_not_available_is_named(state: str) -> None:
    finding = judge(STS_TIMEOUT, build_isolated(replace(STS_ENDPOINT, state=state)))
    assert finding.is_ == f"VPC endpoint vpce-sts for node node-a has state {state}"
    if state in {"failed", "rejected"}:
        assert finding.commands == (
            "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids vpce-sts",
            CREATE_STS.replace("subnet-a", "subnet-a subnet-b").replace("<group>", "sg-e"),
        )
    else:
        assert finding.commands == ("aws ec2 describe-vpc-endpoints --vpc-endpoint-ids vpce-sts",)


def test_an_available_endpoint_counts_before_another_one() -> None:
    endpoints = (replace(STS_ENDPOINT, id_="vpce-0", state="failed"), STS_ENDPOINT)
    assert "vpce-sts" in judge(STS_TIMEOUT, build_isolated(*endpoints, security_groups=(CLOSED,))).is_


def test_a_subnet_without_a_route_and_an_endpoint_is_named() -> None:
    finding = judge(STS_TIMEOUT, build_isolated())
    assert finding.is_ == (
        "VPC vpc-1 has no endpoint for sts; node node-a (i-a, subnet-a): main route table rtb-1 has no route for "
        "0.0.0.0/0"
    )
    assert finding.commands == (CREATE_STS,)


def test_endpoints_of_another_vpc_or_service_do_not_count() -> None:
    others = (EC2_ENDPOINT, replace(STS_ENDPOINT, vpc_id="vpc-2"), replace(STS_ENDPOINT, state="deleted"))
    assert "VPC vpc-1 has no endpoint for sts" in judge(STS_TIMEOUT, build_isolated(*others)).is_


def test_a_route_to_a_deleted_gateway_is_replaced() -> None:
    finding = judge(STS_TIMEOUT, build_network(route_tables=(replace(TABLE, blackhole=True),)))
    assert "sends 0.0.0.0/0 to nat-1, which does not exist any more" in finding.is_
    assert finding.commands == (
        "aws ec2 replace-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 "
        "--nat-gateway-id <nat-gateway>",
    )


def test_an_endpoint_serves_nodes_without_a_route_and_nodes_with_a_deleted_gateway() -> None:
    second = replace(NODE, node="node-b", subnet_id="subnet-b", zone=f"{REGION}b")
    tables = (replace(TABLE, blackhole=True), RouteTableFacts("rtb-2", "vpc-1", subnets=("subnet-b",)))
    (command,) = judge(STS_TIMEOUT, build_network(nodes=(NODE, second), route_tables=tables)).commands
    assert command == CREATE_STS.replace("subnet-a", "subnet-a subnet-b")


@pytest.mark.parametrize(("address", "hidden"), [("", False), ("203.0.113.7", True)])
def test_an_internet_gateway_serves_a_node_with_a_public_address_only(address: str, hidden: bool) -> None:
    nodes = (replace(NODE, public_address=address),)
    finding = judge(STS_TIMEOUT, build_network(nodes=nodes, route_tables=(replace(TABLE, target="igw-1"),)))
    assert (HIDDEN in finding.is_) is hidden
    assert ("to igw-1, and the node has no public address" in finding.is_) is not hidden


def test_the_table_of_the_subnet_counts_before_the_main_one() -> None:
    own = RouteTableFacts("rtb-2", "vpc-1", subnets=("subnet-a",))
    other = RouteTableFacts("rtb-3", "vpc-1", subnets=("subnet-b",))
    assert "route table rtb-2 has no route" in judge(STS_TIMEOUT, build_network(route_tables=(TABLE, own))).is_
    assert HIDDEN in judge(STS_TIMEOUT, build_network(route_tables=(other, TABLE))).is_


@pytest.mark.parametrize("target", ["", "nat-1"])
def test_pods_that_call_the_global_endpoint_are_told_to_call_the_regional_one(target: str) -> None:
    tables = (replace(TABLE, target=target),)
    network = build_network(route_tables=tables, endpoints=(STS_ENDPOINT,), security_groups=(OPEN,))
    finding = judge(GLOBAL_TIMEOUT, network)
    assert (
        "call the global endpoint sts.amazonaws.com. VPC endpoint vpce-sts serves only the regional one" in finding.is_
    )
    assert f"sts.{REGION}.amazonaws.com: AWS_STS_REGIONAL_ENDPOINTS=regional" in finding.should_be
    assert finding.commands == (ANNOTATE, RESTART)


def test_the_global_endpoint_without_a_route_and_an_endpoint_needs_both() -> None:
    assert judge(GLOBAL_TIMEOUT, build_isolated()).commands == (CREATE_STS, ANNOTATE, RESTART)
    assert HIDDEN in judge(GLOBAL_TIMEOUT, build_network()).is_


@pytest.mark.parametrize("target", ["nat-1", "tgw-1", "eni-1"])
def test_a_path_in_order_hints_at_what_is_not_judged(target: str) -> None:
    finding = judge(EC2_TIMEOUT, build_network(route_tables=(replace(TABLE, target=target),)), "ec2-unreachable")
    assert HIDDEN in finding.is_
    for text in ("network policies", "egress rules of the nodes' security groups", "network ACLs"):
        assert text in finding.should_be
    assert finding.evidence[1:] == (
        f"node node-a (i-a, subnet-a): main route table rtb-1 sends 0.0.0.0/0 to {target}",
        "VPC vpc-1 has no endpoint for ec2",
    )
    assert finding.commands == (
        "kubectl get networkpolicies --all-namespaces",
        "aws ec2 describe-security-groups --group-ids sg-node",
        "aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=subnet-a",
    )


def test_a_name_that_is_not_resolved_is_no_fault_of_a_route() -> None:
    for error in ("no such host", "server misbehaving", "read udp 10.0.0.5:51234->172.20.0.10:53: i/o timeout"):
        host = f"sts.{REGION}.amazonaws.com"
        finding = judge(f'{HEALTH}Post "https://{host}/": dial tcp: lookup {host}: {error}', build_isolated())
        assert "do not resolve the name of STS" in finding.is_
        assert finding.commands[-1] == "aws ec2 describe-vpc-attribute --vpc-id vpc-1 --attribute enableDnsSupport"


def test_nodes_with_the_same_fault_are_named_together() -> None:
    second = replace(NODE, node="node-b", instance_id="i-b", subnet_id="subnet-b", zone=f"{REGION}b")
    third = replace(second, node="node-c", instance_id="i-c", subnet_id="subnet-c")
    finding = judge(STS_TIMEOUT, build_isolated(nodes=(NODE, second, third)))
    assert all(f"node {each.node} (" in finding.is_ for each in (NODE, second, third))
    # Two subnets of one zone are an error of CreateVpcEndpoint.
    assert "--subnet-ids subnet-a subnet-c --" in finding.commands[0]
    routed = RouteTableFacts("rtb-2", "vpc-1", subnets=("subnet-a",), target="nat-1")
    network = build_network(nodes=(NODE, second), route_tables=(routed, replace(TABLE, target="")))
    found = judge(STS_TIMEOUT, network)
    assert "node-b" in found.is_
    assert "node-a" not in found.is_


def test_nodes_with_another_fault_are_not_named() -> None:
    second = replace(NODE, node="node-b", vpc_id="vpc-2")
    tables = (TABLE, RouteTableFacts("rtb-2", "vpc-2", main=True))
    network = build_network(nodes=(NODE, second), route_tables=tables, endpoints=(STS_ENDPOINT,))
    found = judge(STS_TIMEOUT, replace(network, security_groups=(CLOSED,)))
    assert found.is_.endswith("does not allow TCP 443 from node node-a")


UNREAD = Unreadable("ec2:Describe", "ec2:Describe", "UnauthorizedOperation: denied")


@pytest.mark.parametrize(
    "network",
    [
        UNREAD,
        build_network(route_tables=UNREAD),
        build_network(endpoints=UNREAD),
        build_isolated(endpoints=UNREAD),
        build_isolated(STS_ENDPOINT, security_groups=UNREAD),
        build_network(route_tables=UNREAD, endpoints=(replace(STS_ENDPOINT, private_dns=False),)),
    ],
)
def test_facts_that_cannot_be_read_leave_the_message_as_proof(network: NetworkFacts | Unreadable) -> None:
    finding = judge(STS_TIMEOUT, network)
    assert finding.is_ == "the pods do not reach STS"
    assert "a NAT gateway or a VPC endpoint" in finding.should_be
    assert finding.evidence[-2:] == (
        "not judged: ec2:Describe failed: UnauthorizedOperation: denied",
        "missing permission: ec2:Describe",
    )
    assert list_missing_permissions(with_network(STS_TIMEOUT, network)) == ("ec2:Describe",)


def test_no_endpoint_is_created_beside_one_whose_groups_were_not_read() -> None:
    (command,) = judge(STS_TIMEOUT, build_isolated(STS_ENDPOINT, security_groups=UNREAD)).commands
    assert command == "aws ec2 describe-vpc-endpoints --vpc-endpoint-ids vpce-sts"


@pytest.mark.parametrize("network", [None, NetworkFacts(), build_network(route_tables=())])
def test_a_network_that_is_not_known_leaves_the_message_as_proof(network: NetworkFacts | None) -> None:
    finding = judge(STS_TIMEOUT, network)
    assert finding.is_ == "the pods do not reach STS"
    assert finding.evidence[-1] == "not judged: the network of the nodes is not known"
    assert finding.commands[0].startswith("aws ec2 create-vpc-endpoint --vpc-id ")


def test_a_dump_of_an_earlier_version_is_judged_by_the_message(tmp_path: Path) -> None:
    facts = with_network(STS_TIMEOUT, build_isolated(STS_ENDPOINT, security_groups=(CLOSED,)))
    write_facts(facts, tmp_path)
    assert read_facts(tmp_path) == facts
    (tmp_path / "network.json").unlink()
    (finding,) = diagnose(read_facts(tmp_path)).findings
    assert (finding.id_, finding.is_) == ("sts-unreachable", "the pods do not reach STS")
    assert finding.evidence[-1].endswith("the dump has no file network.json")


@pytest.mark.parametrize(
    ("rule", "allows"),
    [
        ({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}, True),
        ({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535}, True),
        ({"IpProtocol": "-1"}, True),
        ({"IpProtocol": "udp", "FromPort": 443, "ToPort": 443}, False),
        ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}, False),
    ],
)
def test_rules_of_https_count(rule: dict[str, Any], allows: bool) -> None:
    sources = {
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
        "UserIdGroupPairs": [{"GroupId": "sg-1"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
    }
    found = parse_security_group({"GroupId": "sg-e", "IpPermissions": [{**rule, **sources}]})
    expected = SecurityGroupFacts("sg-e", ("10.0.0.0/8",), ("sg-1",), ("pl-1",))
    assert found == (expected if allows else SecurityGroupFacts("sg-e"))


@pytest.mark.parametrize(
    ("route", "target", "blackhole"),
    [
        ({"NatGatewayId": "nat-1", "State": "active"}, "nat-1", False),
        ({"NatGatewayId": "nat-1", "State": "blackhole"}, "nat-1", True),
        ({"GatewayId": "igw-1", "State": "active"}, "igw-1", False),
        ({"TransitGatewayId": "tgw-1", "State": "active"}, "tgw-1", False),
        ({"InstanceId": "i-1", "NetworkInterfaceId": "eni-1", "State": "active"}, "i-1", False),
    ],
)
def test_the_default_route_is_read(route: dict[str, str], target: str, blackhole: bool) -> None:
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    table = {
        "RouteTableId": "rtb-1",
        "VpcId": "vpc-1",
        "Associations": [{"Main": True}, {"SubnetId": "subnet-a", "Main": False}],
        "Routes": [local, {"DestinationCidrBlock": "0.0.0.0/0", **route}],
    }
    assert parse_route_table(table) == RouteTableFacts("rtb-1", "vpc-1", True, ("subnet-a",), target, blackhole)
    assert parse_route_table({**table, "Routes": [local]}).target == ""


def test_the_interfaces_of_an_instance_are_read_with_their_prefixes() -> None:
    interface = {
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5"}, {"PrivateIpAddress": "10.0.0.17"}],
        "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.0.32/28"}],
        "Groups": [{"GroupId": "sg-node"}],
    }
    instance = {
        "InstanceId": "i-a", "VpcId": "vpc-1", "SubnetId": "subnet-a", "PrivateIpAddress": "10.0.0.5",
        "SecurityGroups": [{"GroupId": "sg-node"}],
    }  # fmt: skip
    (found,) = parse_node_network("node-a", {**instance, "NetworkInterfaces": [interface]}).interfaces
    assert found == InterfaceFacts(("10.0.0.5", "10.0.0.17", "10.0.0.32/28"), ("sg-node",))
    # A reply without interfaces has the addresses of the instance.
    (found,) = parse_node_network("node-a", instance).interfaces
    assert found == InterfaceFacts(("10.0.0.5",), ("sg-node",))
