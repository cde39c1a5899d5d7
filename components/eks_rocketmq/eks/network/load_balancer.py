"""Annotations by which the AWS Load Balancer Controller makes a Network Load Balancer. Pure.

`network_load_balancer` gives the fields that a RocketMQ takes under `external`; nothing in them is RocketMQ's own, so
they do for any Service.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from eks_rocketmq.args.aws_identifiers import certificate_arn
from eks_rocketmq.args.validation import refuse_empty, whole_number

CONTROLLER_CLASS = "service.k8s.aws/nlb"
AUTO_MODE_CLASS = "eks.amazonaws.com/nlb"
_PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
_MAX_NAME_LENGTH = 32
_EMPTY_MEANINGS: Mapping[str, str] = {
    "subnets": "every subnet with the tag",
    "security_groups": "a group that the controller makes",
    "tls_ports": "all ports",
}
"""What an empty list would mean to the controller, which reads no annotation then."""


class NetworkLoadBalancerArgs(TypedDict):
    """A Network Load Balancer in front of pods. It is internal unless `internet_facing` says otherwise."""

    internet_facing: NotRequired[bool]
    """Whether it has public addresses. Changing this replaces it. Default: false."""
    auto_mode: NotRequired[bool]
    """Whether EKS Auto Mode makes it instead of the AWS Load Balancer Controller. Default: false."""
    name: NotRequired[str]
    """Name in AWS, at most 32 letters. Changing this replaces it. Default: made by the controller."""
    subnets: NotRequired[list[str]]
    """Ids of subnets, one a zone. Default: those that carry the tag `kubernetes.io/role/internal-elb`, or `…/elb` for
    an internet-facing one."""
    security_groups: NotRequired[list[str]]
    """Ids of security groups of its own; the controller still opens the nodes' groups to them. Default: one that the
    controller makes from the Service's source ranges."""
    certificate_arn: NotRequired[str]
    """ACM certificate, with which it ends TLS, speaking HTTP/2 as gRPC needs. Default: none, TCP is passed through."""
    tls_ports: NotRequired[list[int]]
    """Ports that speak TLS, with a certificate. Default: all."""
    keep_client_addresses: NotRequired[bool]
    """Whether pods see the clients' own addresses. A client on a proxy's node then cannot reach that proxy through an
    internal load balancer. Default: false, pods see the load balancer's."""
    cross_zone: NotRequired[bool]
    """Whether each zone's address reaches the pods of all zones. Default: true."""
    deregistration_seconds: NotRequired[int]
    """How long open connections to a pod that leaves are kept. Default: 30."""
    deletion_protection: NotRequired[bool]
    """Whether AWS refuses to delete it; turn it off before a destroy. Default: false."""
    tags: NotRequired[dict[str, str]]
    """Tags of what is made in AWS. Default: none."""


def network_load_balancer(args: NetworkLoadBalancerArgs) -> dict[str, Any]:
    """`type`, `load_balancer_class` and `annotations` of a Service.

    Raises:
        ValueError: for a name, a time or ports that AWS or the controller would refuse.
    """
    given: Mapping[str, Any] = {**args}
    for name, means in _EMPTY_MEANINGS.items():
        if name in given:
            refuse_empty(given[name], name, means)
    annotations = {
        "scheme": "internet-facing" if args.get("internet_facing", False) else "internal",
        "nlb-target-type": "ip",
        "healthcheck-protocol": "tcp",
        "healthcheck-port": "traffic-port",
        "healthcheck-interval": "10",
        "healthcheck-healthy-threshold": "2",
        "healthcheck-unhealthy-threshold": "2",
        "attributes": _format_attributes(
            {
                "load_balancing.cross_zone.enabled": args.get("cross_zone", True),
                "deletion_protection.enabled": args.get("deletion_protection", False),
            }
        ),
        "target-group-attributes": _format_attributes(
            {
                "deregistration_delay.timeout_seconds": _validate_seconds(args.get("deregistration_seconds", 30)),
                # Clients that stay connected to a pod that is gone would wait for nothing.
                "deregistration_delay.connection_termination.enabled": True,
                "preserve_client_ip.enabled": args.get("keep_client_addresses", False),
                "proxy_protocol_v2.enabled": False,
            }
        ),
        **_build_certificate_annotations(args),
        **_build_optional_annotations(args),
    }
    return {
        "type": "LoadBalancer",
        "load_balancer_class": AUTO_MODE_CLASS if args.get("auto_mode", False) else CONTROLLER_CLASS,
        "annotations": {f"{_PREFIX}{key}": value for key, value in annotations.items()},
    }


def _build_certificate_annotations(args: NetworkLoadBalancerArgs) -> dict[str, str]:
    tls_ports = [whole_number(port, "tls_ports") for port in args.get("tls_ports", [])]
    if "certificate_arn" not in args:
        if tls_ports:
            msg = f"tls_ports is {tls_ports} without certificate_arn; give the certificate or leave the ports out"
            raise ValueError(msg)
        return {}
    certificate_arn(args["certificate_arn"], "certificate_arn")
    only = {"ssl-ports": ",".join(map(str, tls_ports))} if tls_ports else {}
    return {"ssl-cert": args["certificate_arn"], "alpn-policy": "HTTP2Preferred", **only}


def _build_optional_annotations(args: NetworkLoadBalancerArgs) -> dict[str, str]:
    name = args.get("name", "")
    if len(name) > _MAX_NAME_LENGTH:
        msg = f"name of the load balancer is {name!r}; accepted are {_MAX_NAME_LENGTH} letters or fewer"
        raise ValueError(msg)
    groups = args.get("security_groups", [])
    found = {
        "name": name,
        "subnets": ",".join(args.get("subnets", [])),
        "security-groups": ",".join(groups),
        # With groups of one's own the controller opens the nodes to them only if told so.
        "manage-backend-security-group-rules": "true" if groups else "",
        "additional-resource-tags": _format_attributes(args.get("tags", {})),
    }
    return {key: value for key, value in found.items() if value}


def _validate_seconds(value: float) -> int:
    seconds = whole_number(value, "deregistration_seconds")
    if 0 <= seconds <= 3600:
        return seconds
    msg = f"deregistration_seconds is {seconds}; accepted is 0 to 3600"
    raise ValueError(msg)


def _format_attributes(values: dict[str, Any]) -> str:
    return ",".join(
        f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in values.items()
    )
