"""`external` of a stack file: what a RocketMQ takes, and what AWS shall make, which RocketMQ knows nothing of. Pure."""

from collections.abc import Mapping
from typing import Any, NotRequired

from eks_rocketmq.args.arg_schema import convert_from_camel_case, to_camel_case, validate_args
from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.args.validation import parse_whole_number
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs, network_load_balancer
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.external.external_plan import check_tls_ports
from eks_rocketmq.rocketmq.naming import ports


class StackExternalArgs(ExternalArgs):
    """The way in from outside, as a stack file has it."""

    network_load_balancer: NotRequired[NetworkLoadBalancerArgs]
    """What AWS makes of the Service, instead of `type`, `load_balancer_class` and the annotations for it. Default:
    none, the Service is as the other fields have it."""


def external(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The argument of the component.

    Raises:
        ValueError: for a field that is none, for what AWS would refuse, and for what is said twice.
    """
    problems = ErrorCollector()
    args = convert_from_camel_case(given, StackExternalArgs, "external", ("external",), problems)
    problems.attempt(validate_args, args, StackExternalArgs, "external", ("external",))
    problems.raise_errors()
    balancer = args.pop("network_load_balancer", None)
    if balancer is None:
        return args
    try:
        made = network_load_balancer(balancer)
    except ValueError as error:
        msg = f"external.networkLoadBalancer: {error}"
        raise ValueError(msg) from error
    annotations = args.pop("annotations", {})
    if "tls_ports" in balancer:
        there = {"grpc": args.get("port", ports.PROXY_GRPC)}
        there |= {"remoting": ports.PROXY_REMOTING} if args.get("remoting") else {}
        named = [str(parse_whole_number(port, "tls_ports")) for port in balancer["tls_ports"]]
        check_tls_ports(named, there, "external.networkLoadBalancer.tlsPorts")
    twice = [("external", to_camel_case(field)) for field in made if field in args]
    twice += [("external.annotations", key) for key in made["annotations"] if key in annotations]
    for where, what in twice:
        msg = f"{where} has {what}, which networkLoadBalancer decides; leave one of the two out"
        raise ValueError(msg)
    return {**args, **made, "annotations": {**annotations, **made["annotations"]}}
