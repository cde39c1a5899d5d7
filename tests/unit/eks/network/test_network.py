"""A new network: its subnets, gateways, endpoints, flow logs and rejected arguments."""

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eks_rocketmq import Network, NetworkArgs
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.cidr import parse_vpc_block, plan_subnets, validate_public_sources, validate_service_block
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, split_error
from eks_rocketmq.eks.network.network_args import NatMode
from eks_rocketmq.eks.network.network_plan import check_nodes_can_start, list_endpoint_names, select_zones
from tests.unit.harness import Fakes, ProviderError, Recording, run
from tests.unit.harness.fakes import ACCOUNT, REGION
from tests.unit.harness.new_cluster import ZONES
from tests.unit.harness.rejections import list_rejections, rejects
from tests.unit.harness.trust import statements

STACK_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/test"}
GET_ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
GET_SERVICE = "aws:ec2/getVpcEndpointService:getVpcEndpointService"
INVENTORY = {
    "aws:cloudwatch/logGroup:LogGroup": 1,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": 1,
    "aws:ec2/eip:Eip": 3,
    "aws:ec2/flowLog:FlowLog": 1,
    "aws:ec2/internetGateway:InternetGateway": 1,
    "aws:ec2/natGateway:NatGateway": 3,
    "aws:ec2/route:Route": 4,
    "aws:ec2/routeTable:RouteTable": 4,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": 6,
    "aws:ec2/subnet:Subnet": 6,
    "aws:ec2/vpc:Vpc": 1,
    "aws:ec2/vpcEndpoint:VpcEndpoint": 1,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicy:RolePolicy": 1,
    "eks-rocketmq:index:Network": 1,
}


def program(args: NetworkArgs | None = None) -> Callable[[], None]:
    def register() -> None:
        network = Network("net", args or {})
        pulumi.export("zones", network.zones)
        pulumi.export("private", network.private_subnet_ids)

    return register


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program(), preview=request.param)


def test_default_arguments_register_the_expected_resources(recording: Recording) -> None:
    assert recording.inventory() == INVENTORY
    component = recording.one("eks-rocketmq:index:Network")
    assert {r.parent for r in recording.resources.values() if r.custom} == {component.urn}
    assert sorted(r.name for r in recording.by_type("Subnet")) == [
        f"net-{kind}-{place}" for kind in ("private", "public") for place in (1, 2, 3)
    ]


def test_every_taggable_resource_has_a_name_and_the_stack_tag(recording: Recording) -> None:
    without = {"Route", "RouteTableAssociation", "RolePolicy"}
    for resource in recording.resources.values():
        if resource.custom and resource.type.rsplit(":", 1)[-1] not in without:
            assert resource.inputs["tags"]["Name"].startswith("net-"), resource.urn
            assert resource.inputs["tags"].items() >= STACK_TAGS.items(), resource.urn


def test_zones_are_the_first_of_the_region_and_known_at_preview(recording: Recording) -> None:
    zones = [f"{REGION}{letter}" for letter in "abc"]
    assert recording.outputs["zones"] == zones
    for kind in ("private", "public"):
        placed = [r.inputs["availabilityZone"] for r in recording.by_type("Subnet") if kind in r.name]
        assert placed == zones
    request = next(arguments for token, arguments in recording.invokes if token == GET_ZONES)
    assert request["state"] == "available"
    assert {f["name"]: f["values"] for f in request["filters"]} == {
        "opt-in-status": ["opt-in-not-required"],
        "zone-type": ["availability-zone"],
    }


def test_automatically_chosen_zones_are_not_changed_later(recording: Recording) -> None:
    assert {r.ignore_changes for r in recording.by_type("Subnet")} == {("availabilityZone",)}
    named = run(program({"zones": [f"{REGION}b", f"{REGION}a"]}))
    assert {r.ignore_changes for r in named.by_type("Subnet")} == {()}
    assert named.outputs["zones"] == [f"{REGION}b", f"{REGION}a"]


def test_subnets_have_load_balancer_tags_and_assign_no_public_addresses(recording: Recording) -> None:
    for subnet in recording.by_type("Subnet"):
        role = "internal-elb" if "private" in subnet.name else "elb"
        role_tags = {key: value for key, value in subnet.inputs["tags"].items() if key.startswith("kubernetes.io/")}
        assert role_tags == {f"kubernetes.io/role/{role}": "1"}
        assert subnet.inputs["mapPublicIpOnLaunch"] is False


def test_cluster_and_subnet_tags_are_set_on_the_matching_subnets() -> None:
    tagged = run(
        program(
            {
                "cluster_name": "prod",
                "private_subnet_tags": {"karpenter.sh/discovery": "prod"},
                "public_subnet_tags": {"edge": "yes"},
                "tags": {"team": "messaging"},
            }
        )
    )
    for subnet in tagged.by_type("Subnet"):
        private = "private" in subnet.name
        assert subnet.inputs["tags"]["kubernetes.io/cluster/prod"] == "shared"
        assert ("karpenter.sh/discovery" in subnet.inputs["tags"]) is private
        assert ("edge" in subnet.inputs["tags"]) is not private
    assert tagged.one("Vpc").inputs["tags"]["team"] == "messaging"


def test_the_vpc_has_dns_and_the_default_security_group_has_no_rules(recording: Recording) -> None:
    vpc = recording.one("Vpc").inputs
    assert (vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == (True, True)
    closed = recording.one("DefaultSecurityGroup").inputs
    assert "ingress" not in closed
    assert "egress" not in closed


def list_gateways(recording: Recording, route: str) -> list[str]:
    """Return the names of the target gateways of a route."""
    gateway_keys = ("natGatewayId", "gatewayId")
    found = recording.one("Route", route).property_dependencies
    return sorted(urn.rsplit("::", 1)[-1] for key in gateway_keys for urn in found.get(key, ()))


@pytest.mark.parametrize(
    ("nat", "gateways", "targets"),
    [
        ("per_zone", 3, [["net-nat-1"], ["net-nat-2"], ["net-nat-3"]]),
        ("single", 1, [["net-nat-1"]] * 3),
        ("none", 0, []),
    ],
)
def test_nat_mode_sets_the_gateways_of_private_subnets(nat: NatMode, gateways: int, targets: list[list[str]]) -> None:
    recording = run(program({"nat": nat}))
    assert len(recording.by_type("NatGateway")) == len(recording.by_type("Eip")) == gateways
    private = [r.name for r in recording.by_type("Route") if "private" in r.name]
    assert [list_gateways(recording, route) for route in private] == targets
    assert list_gateways(recording, "net-public") == ["net-gateway"]
    # All modes have the same route tables, so changing the mode changes only routes.
    assert len(recording.by_type("RouteTable")) == 4
    assert len(recording.component_outputs[recording.one("Network").urn]["natAddresses"]) == gateways


def test_nat_gateways_are_in_the_public_subnet_of_their_zone(recording: Recording) -> None:
    for place in (1, 2, 3):
        subnet = recording.one("NatGateway", f"net-nat-{place}").property_dependencies["subnetId"]
        assert subnet == {recording.one("Subnet", f"net-public-{place}").urn}


def test_elastic_ips_and_nat_gateways_depend_on_the_internet_gateway(recording: Recording) -> None:
    internet_gateway = recording.one("InternetGateway").urn
    for resource in [*recording.by_type("Eip"), *recording.by_type("NatGateway")]:
        assert internet_gateway in resource.explicit_dependencies, resource.name


def test_the_private_subnets_output_depends_on_routes_and_endpoints() -> None:
    def register() -> None:
        network = Network("net", {"interface_endpoints": ["sts"]})
        pulumi.ComponentResource("test:index:User", "user", {"subnets": network.private_subnet_ids}, remote=False)
        import pulumi_aws as aws  # noqa: PLC0415

        aws.ec2.SecurityGroup("user", description=network.private_subnet_ids.apply(",".join))

    for preview in (True, False):
        recording = run(register, preview=preview)
        user = recording.one("SecurityGroup", "user")
        ready = [
            r for r in recording.by_type("Route") + recording.by_type("RouteTableAssociation") if "private" in r.name
        ]
        assert len(ready) == 6
        for resource in [*ready, *recording.by_type("VpcEndpoint")]:
            assert recording.reaches(user, resource), f"a node could start before {resource.name}"


def test_endpoints_are_regional_and_accept_traffic_only_from_the_vpc() -> None:
    recording = run(program({"interface_endpoints": ["ecr.api", "sts"], "cidr_block": "10.20.0.0/16"}))
    named = {r.name: r.inputs for r in recording.by_type("VpcEndpoint")}
    assert sorted(named) == ["net-ecr-api", "net-s3", "net-sts"]
    assert named["net-s3"]["vpcEndpointType"] == "Gateway"
    assert len(named["net-s3"]["routeTableIds"]) == 3
    assert named["net-ecr-api"]["serviceName"] == f"com.amazonaws.{REGION}.ecr.api"
    assert named["net-sts"]["privateDnsEnabled"] is True
    assert len(named["net-sts"]["subnetIds"]) == 3
    (rule,) = recording.one("SecurityGroup").inputs["ingress"]
    assert rule == {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.20.0.0/16"]}
    assert "egress" not in recording.one("SecurityGroup").inputs


def test_endpoint_services_are_not_looked_up_without_endpoints() -> None:
    recording = run(program({"s3_endpoint": False}))
    assert recording.by_type("VpcEndpoint") == []
    assert sorted({token for token, _ in recording.invokes}) == [
        GET_ZONES,
        "aws:index/getCallerIdentity:getCallerIdentity",
    ]


def test_endpoints_in_china_have_two_possible_names() -> None:
    assert list_endpoint_names("ecr.api", "cn-north-1") == [
        "com.amazonaws.cn-north-1.ecr.api",
        "cn.com.amazonaws.cn-north-1.ecr.api",
    ]
    assert list_endpoint_names("sts", "us-gov-west-1") == ["com.amazonaws.us-gov-west-1.sts"]


def test_flow_logs_have_a_retention_time_and_a_restricted_role() -> None:
    recording = run(program({"flow_log_retention_days": 30}))
    group = recording.one("LogGroup")
    assert group.inputs["retentionInDays"] == 30
    flow = recording.one("FlowLog").inputs
    assert (flow["trafficType"], flow["logDestination"]) == ("ALL", group.outputs["arn"])
    (trust,) = statements(recording.one("Role").inputs["assumeRolePolicy"])
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    (policy,) = statements(recording.one("RolePolicy").inputs["policy"])
    assert policy["Resource"] == [group.outputs["arn"], f"{group.outputs['arn']}:*"]
    assert all(action.startswith("logs:") and "*" not in action for action in policy["Action"])
    assert recording.one("RolePolicy").urn in recording.one("FlowLog").explicit_dependencies


def test_the_flow_log_role_has_the_given_permissions_boundary() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    assert run(program({"permissions_boundary": boundary})).one("Role").inputs["permissionsBoundary"] == boundary
    assert "permissionsBoundary" not in run(program({})).one("Role").inputs


def test_disabled_flow_logs_register_neither_role_nor_log_group() -> None:
    recording = run(program({"flow_log_retention_days": 0}))
    gone = {"LogGroup", "FlowLog", "Role", "RolePolicy"}
    assert recording.inventory() == {k: v for k, v in INVENTORY.items() if k.rsplit(":", 1)[-1] not in gone}


def test_whole_numbers_are_accepted_as_floats() -> None:
    floats: Any = {"zone_count": 2.0, "private_prefix_length": 20.0, "flow_log_retention_days": 7.0}
    recording = run(program(floats))
    assert len(recording.by_type("Subnet")) == 4
    assert recording.one("Subnet", "net-private-2").inputs["cidrBlock"] == "10.0.16.0/20"


def get_error_message(check: Callable[[str], object], text: str) -> ArgumentMessage | None:
    """Return the error message of a check, or None when it accepts the text."""
    try:
        check(text)
    except ArgumentError as error:
        return error.message
    return None


BLOCKS = st.builds(
    lambda address, length: IPv4Network((address >> (32 - length) << (32 - length), length)),
    st.integers(0, 2**32 - 1),
    st.integers(16, 24),
)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.integers(2, 6))
def test_subnets_are_disjoint_inside_the_vpc_and_stable(vpc: IPv4Network, zones: int) -> None:
    try:
        private, public = plan_subnets(vpc, zones)
    except ValueError:
        assert zones > 4, "the subnets of four zones must fit into a VPC of /16 to /24"
        return
    subnets = [*private, *public]
    assert all(subnet.subnet_of(vpc) for subnet in subnets)
    assert not any(a.overlaps(b) for i, a in enumerate(subnets) for b in subnets[i + 1 :])
    fewer = plan_subnets(vpc, zones - 1)
    assert ([*fewer[0]], [*fewer[1]]) == (private[:-1], public[:-1]), "adding a zone must not move a subnet"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20) | st.from_regex(r"\d{1,3}(\.\d{1,3}){3}/\d{1,2}", fullmatch=True))
def test_a_text_is_a_cidr_block_or_rejected_with_a_message(text: str) -> None:
    for check in (parse_vpc_block, validate_service_block, lambda block: validate_public_sources([block], ARGS)):
        message = get_error_message(check, text)
        assert str(IPv4Network(text)) == text if message is None else message.accepted


def test_the_default_subnets_are_private_slash_19_and_public_slash_24() -> None:
    private, public = plan_subnets(IPv4Network("10.0.0.0/16"), 3)
    assert [str(subnet) for subnet in private] == ["10.0.0.0/19", "10.0.32.0/19", "10.0.64.0/19"]
    assert [str(subnet) for subnet in public] == ["10.0.255.0/24", "10.0.254.0/24", "10.0.253.0/24"]


def test_zones_without_eks_control_plane_support_are_skipped() -> None:
    virginia = {"us-east-1e": "use1-az3", "us-east-1a": "use1-az1", "us-east-1b": "use1-az2", "us-east-1c": "use1-az4"}
    assert select_zones(virginia, None, 3) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    with rejects(("zones[1]", "unusable-zone")):
        select_zones(virginia, ["us-east-1a", "us-east-1e"], 2)


@pytest.mark.parametrize(
    ("args", "path", "code"),
    [
        ({"cidr_block": "10.0.0.0"}, "cidr_block", "ipv4-block"),
        ({"cidr_block": "fd00::/64"}, "cidr_block", "ipv4-block"),
        ({"cidr_block": "10.0.1.0/16"}, "cidr_block", "address-inside-block"),
        ({"cidr_block": "10.0.0.0/8"}, "cidr_block", "vpc-block-size"),
        ({"cidr_block": "0.1.0.0/16"}, "cidr_block", "vpc-block-reserved"),
        ({"cidr_block": "127.0.0.0/16"}, "cidr_block", "vpc-block-reserved"),
        ({"cidr_block": "169.254.0.0/16"}, "cidr_block", "vpc-block-reserved"),
        ({"cidr_block": "239.255.0.0/16"}, "cidr_block", "vpc-block-reserved"),
        ({"private_prefix_length": 15}, "private_prefix_length", "subnet-prefix-length"),
        ({"private_prefix_length": 18.5}, "private_prefix_length", "wrong-type"),
        ({"public_prefix_length": 29}, "public_prefix_length", "subnet-prefix-length"),
        ({"private_prefix_length": 18, "zone_count": 4}, "cidr_block", "subnets-do-not-fit"),
        ({"cidr_block": "10.0.0.0/26"}, "cidr_block", "subnets-do-not-fit"),
        ({"zone_count": 1}, "zone_count", "number-of-zones"),
        ({"zone_count": 3.5}, "zone_count", "wrong-type"),
        ({"zone_count": 4}, "zone_count", "too-few-zones-in-region"),
        ({"zones": [f"{REGION}a"] * 2}, "zones", "number-of-zones"),
        ({"zones": []}, "zones", "number-of-zones"),
        ({"zones": [f"{REGION}a", f"{REGION}b"], "zone_count": 2}, "zones", "zones-and-zone-count"),
        ({"zones": [f"{REGION}a", "ap-southeast-1d"]}, "zones[1]", "unusable-zone"),
        ({"nat": "per-zone"}, "nat", "choice"),
        ({"interface_endpoints": ["sts", "ecr api"]}, "interface_endpoints[1]", "aws-service"),
        ({"interface_endpoints": ["s3"]}, "interface_endpoints[0]", "s3-interface-endpoint"),
        ({"permissions_boundary": "foo"}, "permissions_boundary", "policy-arn"),
        (
            {"flow_log_retention_days": 0, "permissions_boundary": "arn:aws:iam::123456789012:policy/ci"},
            "permissions_boundary",
            "ignored-argument",
        ),
        ({"flow_log_retention_days": 31}, "flow_log_retention_days", "log-retention"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_resource_is_registered(args: Any, path: str, code: str) -> None:
    recording = Recording(preview=True)
    with rejects((path, code)):
        run(program(args), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


REQUIRED_ENDPOINTS = ["ec2", "ecr.api", "ecr.dkr", "sts"]


@pytest.mark.parametrize(
    ("args", "identities"),
    [
        ({}, ("irsa",)),
        ({"nat": "single", "s3_endpoint": False}, ("irsa",)),
        ({"nat": "none", "interface_endpoints": REQUIRED_ENDPOINTS}, ("irsa",)),
        ({"nat": "none", "interface_endpoints": [*REQUIRED_ENDPOINTS[:3], "eks-auth"]}, ("pod_identity",)),
        (
            {"nat": "none", "interface_endpoints": [*REQUIRED_ENDPOINTS, "eks-auth", "logs"]},
            ("irsa", "pod_identity", "irsa"),
        ),
        ({"nat": "none", "interface_endpoints": REQUIRED_ENDPOINTS[:3]}, ("node",)),
    ],
)
def test_a_network_with_the_required_endpoints_is_accepted(args: Any, identities: tuple[str, ...]) -> None:
    check_nodes_can_start(args, identities)


@pytest.mark.parametrize(
    ("args", "identities", "missing"),
    [
        ({}, ("irsa",), "'ec2', 'ecr.api', 'ecr.dkr', 'sts'"),
        ({"interface_endpoints": REQUIRED_ENDPOINTS, "s3_endpoint": False}, ("irsa",), None),
        ({"interface_endpoints": REQUIRED_ENDPOINTS}, ("irsa", "pod_identity"), "'eks-auth'"),
        ({"interface_endpoints": REQUIRED_ENDPOINTS[1:], "s3_endpoint": False}, ("node",), "'ec2'"),
    ],
)
def test_a_network_without_the_required_endpoints_is_rejected(
    args: Any, identities: tuple[str, ...], missing: str | None
) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - path and code are compared below
        check_nodes_can_start({"nat": "none", **args}, identities)
    no_s3 = [("s3_endpoint", "nat-none-without-s3")] * ("s3_endpoint" in args)
    no_endpoints = [("interface_endpoints", "nat-none-without-endpoints")] * (missing is not None)
    assert list_rejections(raised.value) == [*no_s3, *no_endpoints]
    named = [
        error.message.values["missing"]
        for error in split_error(raised.value)
        if isinstance(error, ArgumentError) and "missing" in error.message.values
    ]
    assert named == [missing] * len(no_endpoints)


def test_an_endpoint_service_missing_in_the_region_is_rejected_at_preview() -> None:
    def missing(_: object) -> dict[str, Any]:
        raise ProviderError("no matching VPC Endpoint Service found")

    recording = Recording(preview=True)
    with rejects(("interface_endpoints", "no-interface-endpoint")):
        run(
            program({"interface_endpoints": ["stss"]}),
            preview=True,
            fakes=Fakes().answering(GET_SERVICE, missing),
            recording=recording,
        )
    assert [r.urn for r in recording.resources.values() if r.custom] == []


def test_public_sources_must_be_unique_public_cidr_blocks() -> None:
    path = ARGS / "cidrs"
    assert validate_public_sources(["203.0.113.0/24", "0.0.0.0/0"], path) == ["203.0.113.0/24", "0.0.0.0/0"]
    with rejects(("cidrs", "private-source")):
        validate_public_sources(["10.1.0.0/16"], path)
    with rejects(("cidrs", "public-sources")):
        validate_public_sources(["203.0.113.0/24"] * 2, path)


@pytest.mark.parametrize("invalid", ["10.0.0.0/11", "10.0.0.0/25", "203.0.113.0/24", "100.64.0.0/16"])
def test_service_cidr_must_be_private_and_of_an_accepted_size(invalid: str) -> None:
    assert validate_service_block("172.20.0.0/16") == "172.20.0.0/16"
    with rejects(("service_cidr", "service-block")):
        validate_service_block(invalid)


def test_the_zones_of_the_fake_are_not_sorted() -> None:
    assert list(ZONES) != sorted(ZONES), "with sorted zones, the tests of the zone order could not fail"


@pytest.mark.parametrize("protection", [None, True, False])
def test_only_the_vpc_and_the_private_subnets_are_protected(protection: bool | None) -> None:
    args: NetworkArgs = {} if protection is None else {"deletion_protection": protection}
    resources = run(program(args)).resources.values()
    protected = sorted(each.name for each in resources if each.protect)
    assert protected == ([] if protection is False else ["net-private-1", "net-private-2", "net-private-3", "net-vpc"])
