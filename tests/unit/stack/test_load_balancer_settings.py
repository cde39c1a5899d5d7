"""The key `networkLoadBalancer`: arguments of external access, and errors."""

from typing import Any

import pytest

from eks_rocketmq.eks.network.load_balancer import network_load_balancer
from eks_rocketmq.stack import settings
from tests.unit.harness import run, stack_config
from tests.unit.harness.rejections import rejects
from tests.unit.stack.settings_case import prod

SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"
CERTIFICATE = "arn:aws:acm:ap-southeast-1:140023393377:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_network_load_balancer_sets_arguments_of_external_and_is_internal(stack: str) -> None:
    external = {
        "hostname": "mq.example.com",
        "port": 443,
        "sourceRanges": ["10.0.0.0/8"],
        "annotations": {"example.com/team": "mq"},
    }
    balancer = {"certificateArn": CERTIFICATE, "tlsPorts": [443], "deregistrationSeconds": 5}
    config = stack_config(stack, {"rocketmq": {"external": external}, "networkLoadBalancer": balancer})
    seen: list[Any] = []
    run(lambda: seen.append(settings.load().rocketmq.get("external")), config=config, stack=stack)
    service = network_load_balancer({"certificate_arn": CERTIFICATE, "tls_ports": [443], "deregistration_seconds": 5})
    assert seen == [
        {
            "hostname": "mq.example.com",
            "port": 443,
            "source_ranges": ["10.0.0.0/8"],
            **service,
            "annotations": {"example.com/team": "mq", **service["annotations"]},
        }
    ]
    assert service["annotations"][SCHEME] == "internal"


def test_a_network_load_balancer_alone_enables_external_access() -> None:
    assert prod(networkLoadBalancer={}).rocketmq.get("external") == network_load_balancer({})


@pytest.mark.parametrize(
    ("balancer", "external", "path", "code"),
    [
        ("internal", None, "networkLoadBalancer", "no-object"),
        ({"internetfacing": True}, None, "network_load_balancer.internetfacing", "unknown-field"),
        ({"deregistrationSeconds": 3601}, None, "network_load_balancer.deregistration_seconds", "range"),
        (
            {"certificateArn": CERTIFICATE, "tlsPorts": [443]},
            None,
            "network_load_balancer.tls_ports",
            "tls-port",
        ),
        (
            {"certificateArn": CERTIFICATE, "tlsPorts": [443, 8081]},
            {"remoting": True, "hostname": "mq.example.com", "port": 443},
            "network_load_balancer.tls_ports",
            "tls-port",
        ),
        ({"tlsPorts": [443]}, None, "network_load_balancer.tls_ports", "tls-ports-without-certificate"),
        ({}, {"type": "NodePort"}, "rocketmq.external.type", "set-by-load-balancer"),
        (
            {},
            {"loadBalancerClass": "example.com/lb"},
            "rocketmq.external.load_balancer_class",
            "set-by-load-balancer",
        ),
        (
            {},
            {"annotations": {SCHEME: "internet-facing"}},
            f"rocketmq.external.annotations['{SCHEME}']",
            "set-by-load-balancer",
        ),
    ],
)
def test_an_invalid_network_load_balancer_is_rejected(balancer: Any, external: Any, path: str, code: str) -> None:
    with rejects((path, code)):
        prod(networkLoadBalancer=balancer, rocketmq={"external": external})


def test_a_misspelt_key_of_the_load_balancer_is_rejected() -> None:
    with rejects(("networkLoadbalancer", "unknown-key")):
        prod(networkLoadbalancer={})
    with rejects(("network_load_balancer.tlsPort", "unknown-field"), ("rocketmq.external.prot", "unknown-field")):
        prod(networkLoadBalancer={"tlsPort": [443]}, rocketmq={"external": {"prot": 443}})
