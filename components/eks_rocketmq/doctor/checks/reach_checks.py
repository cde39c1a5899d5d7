"""Check of the network path from the nodes to STS or EC2. Pure.

It follows a request: name of the service, VPC endpoint and its security groups, or else the default route.
"""

import re
from collections.abc import Callable, Sequence

from eks_rocketmq.args.kubernetes_names import ANY_IPV4
from eks_rocketmq.doctor.checks.chain import Finding
from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.checks.identity_checks import build_restart_commands
from eks_rocketmq.doctor.checks.reach_case import AVAILABLE, ReachCase, has_internet
from eks_rocketmq.doctor.facts.fact_queries import quote
from eks_rocketmq.doctor.facts.network_facts import EndpointFacts, NetworkFacts, NodeNetworkFacts
from eks_rocketmq.doctor.facts.unreadable_fact import Unreadable

_LOOKUP = re.compile(r"dial tcp: lookup ", re.IGNORECASE)
_ENDED = ("rejected", "failed", "expired")
"""States that an endpoint does not leave."""

Nodes = Sequence[NodeNetworkFacts]
_Fault = tuple[Callable[[ReachCase, Nodes, EndpointFacts], Finding], EndpointFacts]
"""Function that describes a broken link, and the endpoint concerned. Nodes with the same fault are one finding."""


def judge_network(identity: IdentityCase, service: str, message: str) -> Finding:
    """Judge why pods do not reach a service, as their message proves. `service` is `sts` or `ec2`."""
    found = identity.facts.network
    network = found if isinstance(found, NetworkFacts) else NetworkFacts()
    parts = (found, network.route_tables, network.endpoints, network.security_groups)
    unread = [each for each in parts if isinstance(each, Unreadable)]
    case, nodes = ReachCase(identity, service, message, network), network.nodes
    if _LOOKUP.search(message):
        return _build_lookup_finding(case)
    faults = {each: fault for each in nodes if (fault := _find_fault(case, each))}
    if faults:
        build, endpoint = first = next(iter(faults.values()))
        return build(case, [node for node, fault in faults.items() if fault == first], endpoint)
    if unread or not nodes or not all(case.find_table(each) for each in nodes):
        return _build_unread_finding(case, unread)
    return _build_hidden_finding(case)


def _find_fault(case: ReachCase, node: NodeNetworkFacts) -> _Fault | None:
    """Return the first broken link between a node and the service; None if none is known."""
    if isinstance(case.network.endpoints, Unreadable):
        return None
    endpoint = next(iter(case.list_endpoints(node.vpc_id)), None)
    if endpoint and case.is_global:
        return _build_global_finding, endpoint
    if endpoint and endpoint.state == AVAILABLE and endpoint.private_dns:
        return (_build_denied_finding, endpoint) if case.is_allowed(endpoint, node) is False else None
    # Without such an endpoint, the name leads to public addresses.
    table = case.find_table(node)
    internet = has_internet(table, node) if table else True
    if internet or (internet is None and endpoint is None):
        return None
    if endpoint is None:
        return _build_route_finding, EndpointFacts("", node.vpc_id, "")
    return _build_state_finding if endpoint.state != AVAILABLE else _build_name_finding, endpoint


def _build_global_finding(case: ReachCase, nodes: Nodes, endpoint: EndpointFacts) -> Finding:
    return _build_finding(
        case,
        f"the pods on {_name(nodes)} call the global endpoint sts.amazonaws.com. VPC endpoint {endpoint.id_} serves "
        "only the regional one",
        f"calls of {case.host}: AWS_STS_REGIONAL_ENDPOINTS=regional, or a later version of the driver",
        *_list_regional_commands(case),
    )


def _list_regional_commands(case: ReachCase) -> tuple[str, ...]:
    """Return the commands after which pods call the regional endpoint. The webhook sets the variable of new pods."""
    identity = case.identity
    annotate = f"kubectl -n {identity.namespace} annotate serviceaccount {identity.name} --overwrite"
    return f"{annotate} eks.amazonaws.com/sts-regional-endpoints=true", *build_restart_commands(identity)


def _build_denied_finding(case: ReachCase, nodes: Nodes, endpoint: EndpointFacts) -> Finding:
    interfaces = [each for node in nodes for each in node.interfaces if each.security_groups]
    sources = list(dict.fromkeys(each.security_groups[0] for each in interfaces)) or ["<group>"]
    pairs = ",".join(f"{{GroupId={each}}}" for each in sources)
    group = endpoint.security_groups[0]
    return _build_finding(
        case,
        f"security group {', '.join(endpoint.security_groups)} of VPC endpoint {endpoint.id_} does not allow TCP 443 "
        f"from {_name(nodes)}",
        f"a rule of {group} that allows TCP 443 from {', '.join(sources)}",
        f"aws ec2 authorize-security-group-ingress --group-id {group} "
        f"--ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{pairs}]'",
    )


def _build_name_finding(case: ReachCase, nodes: Nodes, endpoint: EndpointFacts) -> Finding:
    return _build_finding(
        case,
        f"VPC endpoint {endpoint.id_} has no private DNS, so that {case.host} is a public address for {_name(nodes)}",
        "private DNS of the endpoint, which needs DNS support and DNS hostnames of the VPC",
        f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint.id_} --private-dns-enabled",
    )


def _build_state_finding(case: ReachCase, nodes: Nodes, endpoint: EndpointFacts) -> Finding:
    commands = (f"aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {endpoint.id_}",)
    if endpoint.state in _ENDED:
        delete = f"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {endpoint.id_}"
        commands = (delete, _format_creation(case, nodes, endpoint.subnets, endpoint.security_groups))
    return _build_finding(
        case,
        f"VPC endpoint {endpoint.id_} for {_name(nodes)} has state {endpoint.state or 'unknown'}",
        "state available",
        *commands,
    )


def _build_route_finding(case: ReachCase, nodes: Nodes, endpoint: EndpointFacts) -> Finding:
    tables = [table for each in nodes if (table := case.find_table(each))]
    commands = [
        f"aws ec2 replace-route --route-table-id {each} --destination-cidr-block {ANY_IPV4} "
        "--nat-gateway-id <nat-gateway>"
        for each in dict.fromkeys(table.id_ for table in tables)
    ]
    if not all(table.blackhole for table in tables):
        # An endpoint has one subnet in a zone.
        subnets = {each.zone: each.subnet_id for each in nodes}
        regional = _list_regional_commands(case) if case.is_global else ()
        commands = [_format_creation(case, nodes, tuple(subnets.values()), ()), *regional]
    routes = [_describe_route(case, each) for each in nodes]
    return _build_finding(
        case,
        "; ".join([f"VPC {endpoint.vpc_id} has no endpoint for {case.service}", *routes]),
        f"a route for {ANY_IPV4} to a NAT gateway, or a VPC endpoint for {case.host} whose security group allows "
        f"TCP 443 from {_name(nodes)}",
        *commands,
    )


def _build_lookup_finding(case: ReachCase) -> Finding:
    vpc = next((each.vpc_id for each in case.network.nodes), "<vpc>")
    return _build_finding(
        case,
        f"the pods do not resolve the name of {case.service.upper()}. Routes and VPC endpoints do not explain it",
        "an answer of the cluster DNS, and DNS support of the VPC",
        "kubectl -n kube-system get pods -l k8s-app=kube-dns",
        f"aws ec2 describe-vpc-attribute --vpc-id {vpc} --attribute enableDnsSupport",
    )


def _build_hidden_finding(case: ReachCase) -> Finding:
    """Return the finding for a network path whose judged links are in order."""
    nodes = case.network.nodes
    groups = dict.fromkeys(group for node in nodes for each in node.interfaces for group in each.security_groups)
    subnets = dict.fromkeys(each.subnet_id for each in nodes)
    return _build_finding(
        case,
        f"the pods do not reach {case.service.upper()}, and no fault of routes and VPC endpoints is known",
        f"network policies, egress rules of the nodes' security groups, and network ACLs that allow TCP 443 to "
        f"{case.host}. They are not judged",
        "kubectl get networkpolicies --all-namespaces",
        f"aws ec2 describe-security-groups --group-ids {' '.join(groups) or '<group>'}",
        f"aws ec2 describe-network-acls --filters Name=association.subnet-id,Values={','.join(subnets)}",
    )


def _build_unread_finding(case: ReachCase, unread: Sequence[Unreadable]) -> Finding:
    """Return the finding that the message alone proves."""
    nodes = case.network.nodes
    notes = [f"not judged: {each.call} failed: {each.reason}" for each in unread]
    notes += [f"missing permission: {each.permission}" for each in unread if each.permission]
    known = [endpoint for each in nodes for endpoint in case.list_endpoints(each.vpc_id)]
    return _build_finding(
        case,
        f"the pods do not reach {case.service.upper()}",
        f"a route to {case.host}: a NAT gateway or a VPC endpoint",
        f"aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {known[0].id_}" if known else _format_creation(case, nodes),
        notes=notes or ["not judged: the network of the nodes is not known"],
    )


def _format_creation(case: ReachCase, nodes: Nodes, subnets: Sequence[str] = (), groups: Sequence[str] = ()) -> str:
    vpc = nodes[0].vpc_id if nodes else "<vpc>"
    return (
        f"aws ec2 create-vpc-endpoint --vpc-id {vpc} --vpc-endpoint-type Interface "
        f"--subnet-ids {' '.join(subnets) or '<subnets>'} --security-group-ids {' '.join(groups) or '<group>'} "
        f"--service-name com.amazonaws.{case.region}.{case.service} --private-dns-enabled"
    )


def _build_finding(case: ReachCase, is_: str, should_be: str, *commands: str, notes: Sequence[str] = ()) -> Finding:
    """Return a finding with the facts of the network as evidence."""
    nodes = case.network.nodes
    facts = [_describe_route(case, each) for each in nodes]
    facts += [text for vpc in dict.fromkeys(each.vpc_id for each in nodes) for text in _describe_endpoints(case, vpc)]
    evidence = (*quote("message", case.message), *facts, *notes)
    return Finding(f"{case.service}-unreachable", is_, should_be, evidence, commands)


def _describe_route(case: ReachCase, node: NodeNetworkFacts) -> str:
    table = case.find_table(node)
    subject = f"node {node.node} ({node.instance_id}, {node.subnet_id})"
    if table is None:
        return f"{subject}: its route table is not known"
    kind = "route table" if node.subnet_id in table.subnets else "main route table"
    if not table.target:
        return f"{subject}: {kind} {table.id_} has no route for {ANY_IPV4}"
    missing = ", which does not exist any more" if table.blackhole else ""
    if table.target.startswith("igw-") and not node.public_address:
        missing += ", and the node has no public address"
    return f"{subject}: {kind} {table.id_} sends {ANY_IPV4} to {table.target}{missing}"


def _describe_endpoints(case: ReachCase, vpc: str) -> list[str]:
    if isinstance(case.network.endpoints, Unreadable):
        return []
    facts: list[str] = []
    for each in case.list_endpoints(vpc):
        dns = "with" if each.private_dns else "without"
        facts.append(
            f"VPC endpoint {each.id_} of {each.service} in {', '.join(each.subnets)}: {each.state}, {dns} private DNS"
        )
        for group in case.list_groups(each):
            lists = [f"prefix list {name}, which is not judged" for name in group.prefix_lists]
            sources = ", ".join([*group.ranges, *group.groups, *lists])
            facts.append(f"security group {group.id_} of {each.id_} allows TCP 443 from {sources or 'nowhere'}")
    return facts or [f"VPC {vpc} has no endpoint for {case.service}"]


def _name(nodes: Nodes) -> str:
    return f"node{'s' if len(nodes) > 1 else ''} {', '.join(each.node for each in nodes)}"
