"""Wording of the errors of `rocketmq/network`."""

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.network.network_policies import build_peers
from tests.unit.harness.rejections import Wording, check_wording

CLIENTS = ARGS / "network_policies" / "clients"
WORDING = [
    Wording(
        "network-peer",
        lambda: build_peers([{}], CLIENTS),
        "network_policies.clients[0]: the peer is empty. Accepted: one or both of namespace_labels, pod_labels, or "
        "cidr alone.",
    ),
    Wording(
        "cidr-block",
        lambda: build_peers([{"cidr": "10.0.0.1/16"}], CLIENTS),
        "network_policies.clients[0].cidr: '10.0.0.1/16' is no CIDR block. Accepted: an IPv4 or IPv6 block without "
        "host bits, such as '10.0.0.0/16'.",
    ),
]
VARIANTS = [
    Wording(
        "network-peer",
        lambda: build_peers([{"cidr": "10.0.0.0/16", "pod_labels": {"app": "shop"}}], CLIENTS),
        "network_policies.clients[0]: the peer has labels and a CIDR block. Accepted: one or both of namespace_labels, "
        "pod_labels, or cidr alone.",
    ),
]


@pytest.mark.parametrize("wording", WORDING + VARIANTS, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
