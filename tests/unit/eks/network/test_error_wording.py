"""Error messages about networks and load balancers."""

from typing import Any

import pulumi_aws as aws
import pytest

from eks_rocketmq import Network
from eks_rocketmq.eks.network.load_balancer import network_load_balancer
from eks_rocketmq.eks.network.network_plan import check_nodes_can_start, plan_network, select_zones
from tests.unit.harness import run
from tests.unit.harness.fakes import REGION
from tests.unit.harness.rejections import Wording, check_wording

NO_NAT: Any = {"nat": "none", "s3_endpoint": False, "interface_endpoints": ["ecr.api", "ecr.dkr"]}


def look_up_endpoint(service: str) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("no matching service")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.ec2, "get_vpc_endpoint_service", fail)
        run(lambda: Network("net", {"interface_endpoints": [service]}) and None, preview=True)


WORDING = [
    Wording(
        "number-of-zones",
        lambda: plan_network({"zone_count": 7}),
        "zone_count: 7 is not accepted. Accepted: 2 to 6 different zones. Take at least 2 for EKS, and 3 for the "
        "durability 'strict'.",
    ),
    Wording(
        "zones-and-zone-count",
        lambda: plan_network({"zones": ["a", "b"], "zone_count": 2}),
        "zones: the zones and their number (zone_count) are both given. Leave one of the two out.",
    ),
    Wording(
        "aws-service",
        lambda: plan_network({"interface_endpoints": ["ecr api"]}),
        "interface_endpoints[0]: 'ecr api' is not accepted. Accepted: the name of an AWS service, such as 'ecr.api' or "
        "'sts'.",
    ),
    Wording(
        "s3-interface-endpoint",
        lambda: plan_network({"interface_endpoints": ["s3"]}),
        "interface_endpoints[0]: 's3' has a gateway endpoint, which is free. Use s3_endpoint instead.",
    ),
    Wording(
        "nat-none-without-s3",
        lambda: check_nodes_can_start(NO_NAT),
        "s3_endpoint: nodes never become ready without this endpoint, because nat is 'none' and image layers are in "
        "S3. Enable it, or set nat to 'single' or 'per_zone'.",
    ),
    Wording(
        "nat-none-without-endpoints",
        lambda: check_nodes_can_start(NO_NAT),
        "interface_endpoints: nodes never become ready without 'ec2', 'sts', because nat is 'none'. Accepted: at "
        "least 'ec2', 'ecr.api', 'ecr.dkr', 'sts'. Add them, or set nat to 'single' or 'per_zone'.",
    ),
    Wording(
        "too-few-zones-in-region",
        lambda: select_zones({"us-west-1a": "usw1-az1", "us-west-1b": "usw1-az2", "us-west-1c": "usw1-az3"}, None, 3),
        "zone_count: 3 is more than the 2 zones of the region for EKS (us-west-1a, us-west-1c). Take fewer zones or "
        "another region.",
    ),
    Wording(
        "unusable-zone",
        lambda: select_zones({"eu-west-1a": "euw1-az1", "eu-west-1b": "euw1-az2"}, ["eu-west-1a", "eu-west-1x"], 2),
        "zones[1]: the region has no zone 'eu-west-1x'. Accepted: 'eu-west-1a', 'eu-west-1b'. Did you mean "
        "'eu-west-1b'?",
    ),
    Wording(
        "no-interface-endpoint",
        lambda: look_up_endpoint("stss"),
        f"interface_endpoints: {REGION} has no interface endpoint for 'stss' (no matching service, "
        "from aws:ec2/getVpcEndpointService:getVpcEndpointService(service_name=['com.amazonaws."
        f"{REGION}.stss'])). Run `aws ec2 describe-vpc-endpoint-services --query ServiceNames` to list its endpoints.",
    ),
    Wording(
        "load-balancer-name",
        lambda: network_load_balancer({"name": "n" * 33}),
        f"name: {'n' * 33!r} is not accepted. Accepted: up to 32 letters, digits and '-', not at the beginning or end, "
        "and not beginning with 'internal-'.",
    ),
    Wording(
        "tls-ports-without-certificate",
        lambda: network_load_balancer({"tls_ports": [443]}),
        "tls_ports: [443] has no effect without certificate_arn. Give the certificate or leave the ports out.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
