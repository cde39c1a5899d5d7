"""Arguments of `external` for a Network Load Balancer of AWS. Pure."""

from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, errors_within
from eks_rocketmq.args.validation import parse_whole_number
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs, network_load_balancer
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.external.external_plan import check_tls_ports
from eks_rocketmq.rocketmq.naming import ports
from eks_rocketmq.stack.stack_paths import LOAD_BALANCER, ROCKETMQ

_EXTERNAL = ROCKETMQ / "external"


def merge_load_balancer(balancer: NetworkLoadBalancerArgs, external: ExternalArgs) -> ExternalArgs:
    """Return the arguments of `external` with type, class and annotations of the load balancer.

    Raise ValueError for what AWS would reject, and for what is given twice.
    """
    with errors_within(LOAD_BALANCER):
        service = network_load_balancer(balancer)
    if "tls_ports" in balancer:
        service_ports = {"grpc": external.get("port", ports.PROXY_GRPC)}
        service_ports |= {"remoting": ports.PROXY_REMOTING} if external.get("remoting") else {}
        path = LOAD_BALANCER / "tls_ports"
        tls_ports = [str(parse_whole_number(port, path)) for port in balancer["tls_ports"]]
        check_tls_ports(tls_ports, service_ports, path, _EXTERNAL / "port")
    annotations = external.get("annotations", {})
    twice = [_EXTERNAL / field for field in ("type", "load_balancer_class") if field in external]
    twice += [(_EXTERNAL / "annotations").key(key) for key in service["annotations"] if key in annotations]
    errors = ErrorCollector()
    for each in twice:
        errors.add(
            ArgumentError(
                each,
                "set-by-load-balancer",
                "{balancer} sets this too",
                remedy="Leave one of the two out",
                balancer=LOAD_BALANCER,
            )
        )
    errors.raise_errors()
    return {**external, **service, "annotations": {**annotations, **service["annotations"]}}
