"""The annotations of a Network Load Balancer."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs, network_load_balancer
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.fields import Pair, Place, fields_of, rows_of, types_in
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import args

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"


def annotations(**given: Any) -> dict[str, str]:
    prefix = "service.beta.kubernetes.io/aws-load-balancer-"
    return {key.removeprefix(prefix): value for key, value in network_load_balancer(given)["annotations"].items()}  # ty: ignore[invalid-argument-type]


def test_the_default_load_balancer_is_internal_and_targets_pods() -> None:
    assert network_load_balancer({})["type"] == "LoadBalancer"
    assert network_load_balancer({})["load_balancer_class"] == "service.k8s.aws/nlb"
    assert annotations() == {
        "scheme": "internal",
        "nlb-target-type": "ip",
        "healthcheck-protocol": "tcp",
        "healthcheck-port": "traffic-port",
        "healthcheck-interval": "10",
        "healthcheck-healthy-threshold": "2",
        "healthcheck-unhealthy-threshold": "2",
        "attributes": "load_balancing.cross_zone.enabled=true,deletion_protection.enabled=false",
        "target-group-attributes": "deregistration_delay.timeout_seconds=30,"
        "deregistration_delay.connection_termination.enabled=true,preserve_client_ip.enabled=false,"
        "proxy_protocol_v2.enabled=false",
    }


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"internet_facing": True}, {"scheme": "internet-facing"}),
        ({"internet_facing": False}, {"scheme": "internal"}),
        ({"name": "mq"}, {"name": "mq"}),
        ({"subnets": ["subnet-a", "subnet-b"]}, {"subnets": "subnet-a,subnet-b"}),
        (
            {"security_groups": ["sg-1", "sg-2"]},
            {"security-groups": "sg-1,sg-2", "manage-backend-security-group-rules": "true"},
        ),
        ({"certificate_arn": CERTIFICATE}, {"ssl-cert": CERTIFICATE, "alpn-policy": "HTTP2Preferred"}),
        (
            {"certificate_arn": CERTIFICATE, "tls_ports": [443.0]},
            {"ssl-cert": CERTIFICATE, "alpn-policy": "HTTP2Preferred", "ssl-ports": "443"},
        ),
        ({"tags": {"team": "mq", "env": "prod"}}, {"additional-resource-tags": "team=mq,env=prod"}),
        (
            {"cross_zone": False, "deletion_protection": True},
            {"attributes": "load_balancing.cross_zone.enabled=false,deletion_protection.enabled=true"},
        ),
        (
            {"keep_client_addresses": True, "deregistration_seconds": 5},
            {
                "target-group-attributes": "deregistration_delay.timeout_seconds=5,"
                "deregistration_delay.connection_termination.enabled=true,preserve_client_ip.enabled=true,"
                "proxy_protocol_v2.enabled=false"
            },
        ),
    ],
)
def test_each_argument_changes_only_its_own_annotations(given: dict[str, Any], changed: dict[str, str]) -> None:
    assert annotations(**given) == annotations() | changed


def test_auto_mode_uses_its_own_load_balancer_class() -> None:
    assert network_load_balancer({"auto_mode": True})["load_balancer_class"] == "eks.amazonaws.com/nlb"


def test_the_result_is_accepted_as_external_of_a_rocketmq() -> None:
    external = plan(args(external=network_load_balancer({}))).external
    assert external is not None
    assert external.annotations == network_load_balancer({})["annotations"]


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({"name": "n" * 33}, "name", "load-balancer-name"),
        ({"name": "-a"}, "name", "load-balancer-name"),
        ({"name": "internal-a"}, "name", "load-balancer-name"),
        ({"tags": {"a=b": "c"}}, "tags['a=b']", "tag-key"),
        ({"tags": {"a,b": "c"}}, "tags['a,b']", "tag-key"),
        ({"tags": {"aws:a": "c"}}, "tags['aws:a']", "tag-key"),
        ({"tags": {"a": "b,c"}}, "tags['a']", "tag-value"),
        ({"tags": {"a": "b" * 257}}, "tags['a']", "tag-value"),
        ({"tags": {str(i): "b" for i in range(48)}}, "tags", "tag-count"),
        ({"subnets": ["subnet-a", "subnet-a"]}, "subnets", "duplicate"),
        ({"security_groups": ["sg-a", "sg-a"]}, "security_groups", "duplicate"),
        ({"deregistration_seconds": 3601}, "deregistration_seconds", "range"),
        ({"deregistration_seconds": 0.5}, "deregistration_seconds", "wrong-type"),
        ({"tls_ports": [443]}, "tls_ports", "tls-ports-without-certificate"),
        ({"certificate_arn": CERTIFICATE, "tls_ports": [443, 0.5]}, "tls_ports[1]", "wrong-type"),
        ({"certificate_arn": "foo"}, "certificate_arn", "certificate-arn"),
        ({"subnets": []}, "subnets", "empty-list"),
        ({"internetFacing": True}, "internetFacing", "unknown-field"),
        ({"internet_facing": "false"}, "internet_facing", "wrong-type"),
        ({"internet_facing": pulumi.Output.from_input(False)}, "internet_facing", "not-known-at-preview"),
    ],
)
def test_invalid_arguments_are_rejected(given: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        network_load_balancer(given)  # ty: ignore[invalid-argument-type]


PLACES: Mapping[Any, Place] = {
    NetworkLoadBalancerArgs: Place(
        dict,
        {},
        {
            "internet_facing": True,
            "auto_mode": True,
            "name": "mq",
            "subnets": ["subnet-a"],
            "security_groups": ["sg-1"],
            "certificate_arn": CERTIFICATE,
            "tls_ports": Pair({"certificate_arn": CERTIFICATE}, {"certificate_arn": CERTIFICATE, "tls_ports": [443]}),
            "keep_client_addresses": True,
            "cross_zone": False,
            "deregistration_seconds": 5,
            "deletion_protection": True,
            "tags": {"team": "shop"},
        },
    ),
}


def test_every_argument_field_changes_the_load_balancer() -> None:
    assert rows_of(PLACES) == fields_of(types_in(NetworkLoadBalancerArgs))
    for place in PLACES.values():
        assert place.swallowed(network_load_balancer) == []  # ty: ignore[invalid-argument-type]
