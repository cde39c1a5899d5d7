"""Collection of facts from AWS and from the Kubernetes API, in parallel."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from eks_rocketmq.args.aws_identifiers import STS_AUDIENCE
from eks_rocketmq.doctor.catalogue.symptoms import UNREACHABLE, find_text
from eks_rocketmq.doctor.collectors import kubernetes_parsers as parsers
from eks_rocketmq.doctor.collectors.cluster_reader import ClusterReader, parse_items
from eks_rocketmq.doctor.facts.cluster_facts import (
    AccountFacts,
    ClaimFacts,
    ClusterFacts,
    EventFacts,
    Facts,
    NodeFacts,
    PodFacts,
    ServiceAccountFacts,
    TrialFacts,
    Unreadable,
    VolumeFacts,
    WorkloadFacts,
)
from eks_rocketmq.doctor.facts.fact_queries import (
    find_class,
    find_controller,
    get_class_key,
    list_claim_messages,
    list_pending_claims,
    list_pods_of,
    list_readable,
)
from eks_rocketmq.doctor.facts.network_facts import NetworkFacts
from eks_rocketmq.doctor.facts.unreadable_fact import ALL_OF_AWS
from eks_rocketmq.doctor.policies.permissions import build_driver_scope
from eks_rocketmq.lookups.daemon_threads import DaemonExecutor

if TYPE_CHECKING:  # it loads botocore, which a cluster alone does not need
    from eks_rocketmq.doctor.collectors.aws_reader import AwsReader

_WORKERS = 12
_DRIVER_CONTAINER = "ebs-plugin"
_NAMESPACE = "kube-system"
_UNREAD_AWS = Unreadable(ALL_OF_AWS, "", "no cluster name is known; give it with --cluster")


@dataclass(frozen=True)
class CollectionScope:
    """What is collected beyond the facts of the whole cluster."""

    cluster: str
    """Name of the EKS cluster; empty if it is unknown."""
    claim: str = ""
    """`namespace/name` of the claim that is judged."""
    service_account: str = ""
    """`namespace/name` of the service account that is judged."""
    offline: bool = False
    """Whether the trial is left out."""
    account: str = ""
    """Account that the kubeconfig names; empty if it names none."""
    endpoint: str = ""
    """Endpoint of EKS that the kubeconfig names; empty if it names none."""


def collect_facts(aws: "AwsReader | None", cluster: ClusterReader, scope: CollectionScope) -> Facts:
    """Return the facts of a cluster. Facts that cannot be read are `Unreadable`.

    `aws` is None if the cluster's name or region is unknown.
    """
    with DaemonExecutor(_WORKERS) as executor:
        lists = cluster.start_lists(executor)
        webhook = executor.submit(cluster.has_webhook)
        start = _start_aws(executor, aws, scope.cluster)
        if problem := _explain_other_cluster(scope, start["account"](), start["cluster"]()):
            unread = Unreadable(ALL_OF_AWS, "", problem)
            aws, start = None, dict.fromkeys(start, lambda: unread)
        facts = Facts(start["account"](), start["cluster"](), webhook=webhook.result())
        issuer = facts.cluster.issuer if isinstance(facts.cluster, ClusterFacts) else ""
        providers = executor.submit(aws.read_providers, issuer) if aws else None
        facts = replace(
            facts,
            pod_identities=start["pod_identities"](),
            addons=start["addons"](),
            **_parse_lists(lists),
        )
        claims = lists["persistentvolumeclaims"]()
        facts = _add_pods(executor, cluster, facts, scope, [] if isinstance(claims, Unreadable) else claims)
        if aws is None or providers is None:
            return replace(facts, providers=start["account"](), modifications=start["account"]())
        facts = replace(facts, providers=providers.result())
        return _add_details(executor, aws, cluster, facts, scope)


def _start_aws(executor: Executor, aws: "AwsReader | None", name: str) -> Mapping[str, Callable[[], Any]]:
    if aws is None:
        return dict.fromkeys(("account", "cluster", "pod_identities", "addons"), lambda: _UNREAD_AWS)
    return {
        "account": executor.submit(aws.read_account).result,
        "cluster": executor.submit(aws.read_cluster, name).result,
        "pod_identities": executor.submit(aws.read_pod_identities, name).result,
        "addons": executor.submit(aws.read_addons, name).result,
    }


def _explain_other_cluster(
    scope: CollectionScope, account: AccountFacts | Unreadable, cluster: ClusterFacts | Unreadable
) -> str:
    """Return why the facts of AWS are not about the cluster of the kubeconfig; an empty text if they may be.

    The endpoint decides, because a role of another account may have access to the cluster.
    """
    caller = account.account if isinstance(account, AccountFacts) else ""
    endpoint = cluster.endpoint if isinstance(cluster, ClusterFacts) else ""
    if scope.endpoint and endpoint:
        if _get_endpoint_id(scope.endpoint) == _get_endpoint_id(endpoint):
            return ""
        owner = f" of account {scope.account}" if scope.account else ""
        return (
            f"the kubeconfig is for the cluster{owner} at {scope.endpoint}, and DescribeCluster for {scope.cluster} in "
            f"account {caller or 'unknown'} returns {endpoint}; give --cluster, --region and --profile for one cluster"
        )
    if not scope.account or not caller or scope.account == caller:
        return ""
    return (
        f"the kubeconfig is for a cluster of account {scope.account}, and the AWS credentials are of {caller}; give "
        f"credentials of account {scope.account}, for example with --profile"
    )


def _get_endpoint_id(url: str) -> str:
    """Return the first label of the host, which EKS gives to one cluster only."""
    return (urlsplit(url).hostname or "").partition(".")[0]


def _parse_lists(lists: Mapping[str, Callable[[], list[dict[str, Any]] | Unreadable]]) -> dict[str, Any]:
    attachments = lists["volumeattachments.storage.k8s.io"]()

    def parse_volume(manifest: Mapping[str, Any]) -> VolumeFacts:
        return parsers.parse_volume(manifest, attachments)

    drivers = parse_items(lists["csidrivers.storage.k8s.io"](), lambda each: str(each["metadata"]["name"]))
    return {
        "service_accounts": parse_items(lists["serviceaccounts"](), parsers.parse_service_account),
        "workloads": _parse_workloads(lists["deployments.apps"](), lists["daemonsets.apps"]()),
        "csi_drivers": drivers,
        "csi_nodes": parse_items(lists["csinodes.storage.k8s.io"](), parsers.parse_csi_node),
        "nodes": parse_items(lists["nodes"](), parsers.parse_node),
        "storage_classes": parse_items(lists["storageclasses.storage.k8s.io"](), parsers.parse_storage_class),
        "claims": parse_items(lists["persistentvolumeclaims"](), parsers.parse_claim),
        "volumes": parse_items(lists["persistentvolumes"](), parse_volume),
    }


def _parse_workloads(
    deployments: Sequence[Mapping[str, Any]] | Unreadable, daemon_sets: Sequence[Mapping[str, Any]] | Unreadable
) -> tuple[WorkloadFacts, ...] | Unreadable:
    found: list[WorkloadFacts] = []
    for kind, items in (("Deployment", deployments), ("DaemonSet", daemon_sets)):
        if isinstance(items, Unreadable):
            return items
        found += [fact for each in items or [] if (fact := parsers.parse_workload(kind, each))]
    return tuple(found)


def _add_pods(
    executor: Executor,
    cluster: ClusterReader,
    facts: Facts,
    scope: CollectionScope,
    claims: Sequence[Mapping[str, Any]],
) -> Facts:
    """Add pods and events of the namespaces that matter, and the logs of the driver."""
    namespaces = _list_namespaces(facts, scope)
    pods = [executor.submit(cluster.list_namespaced, "pods", each) for each in namespaces]
    events = [executor.submit(cluster.list_namespaced, "events", each) for each in namespaces]
    found = _join([each.result() for each in pods])
    happened = _join([each.result() for each in events])
    parsed = parse_items(found, parsers.parse_pod)
    # The events of an object outlive it for an hour. Those of an earlier object with the same name do not count.
    uids = {each["metadata"].get("uid") for each in [*claims, *([] if isinstance(found, Unreadable) else found)]}
    return replace(
        facts,
        pods=parsed if isinstance(parsed, Unreadable) else _select_pods(executor, cluster, facts, scope, parsed),
        events=happened if isinstance(happened, Unreadable) else _select_events(happened, uids),
    )


def _select_events(events: Iterable[Mapping[str, Any]], uids: Container[object]) -> tuple[EventFacts, ...]:
    """Return the events of claims and pods. An event without the uid of its object counts by the name."""
    own = [each for each in events if (uid := _get_uid(each)) is None or uid in uids]
    return tuple(each for each in parsers.parse_events(own) if each.kind in {"Pod", "PersistentVolumeClaim"})


def _get_uid(event: Mapping[str, Any]) -> str | None:
    return (event.get("involvedObject") or {}).get("uid")


def _list_namespaces(facts: Facts, scope: CollectionScope) -> list[str]:
    claims: Iterable[ClaimFacts] = list_readable(facts.claims)
    controller = find_controller(facts)
    accounts = [each.namespace for each in list_readable(facts.service_accounts) if each.role_arn]
    accounts += [each.namespace for each in list_readable(facts.pod_identities)]
    named = [each.partition("/")[0] for each in (scope.claim, scope.service_account) if each]
    return list(
        dict.fromkeys(
            [controller.namespace if controller else _NAMESPACE, *named, *(c.namespace for c in claims), *accounts]
        )
    )


def _join(lists: Sequence[list[dict[str, Any]] | Unreadable | None]) -> list[dict[str, Any]] | Unreadable:
    found: list[dict[str, Any]] = []
    for each in lists:
        if isinstance(each, Unreadable):
            return each
        found += each or []
    return found


def _select_pods(
    executor: Executor, cluster: ClusterReader, facts: Facts, scope: CollectionScope, pods: Sequence[PodFacts]
) -> tuple[PodFacts, ...]:
    """Return the pods that use claims or have a role, with the logs of the driver."""
    driver = _find_driver_account(facts)
    accounts = {each.id_ for each in list_readable(facts.service_accounts) if each.role_arn}
    accounts |= {f"{each.namespace}/{each.service_account}" for each in list_readable(facts.pod_identities)}
    wanted = accounts | {driver, scope.service_account}
    selected = [each for each in pods if each.claims or f"{each.namespace}/{each.service_account}" in wanted]
    selected = [each for each in selected if each.phase not in {"Succeeded", "Failed"}]
    logs = {
        each.id_: executor.submit(cluster.read_log, each, _find_driver_container(each))
        for each in selected
        if f"{each.namespace}/{each.service_account}" == driver and (list_pending_claims(facts) or not each.ready)
    }
    return tuple(replace(each, log=logs[each.id_].result()) if each.id_ in logs else each for each in selected)


def _find_driver_account(facts: Facts) -> str:
    """Return `namespace/name` of the driver's service account; empty if there is no driver."""
    controller = find_controller(facts)
    return f"{controller.namespace}/{controller.service_account}" if controller else ""


def _find_driver_container(pod: PodFacts) -> str:
    """Return the container of the driver: by the name of its Helm chart, or the first one."""
    return _DRIVER_CONTAINER if _DRIVER_CONTAINER in pod.containers else next(iter(pod.containers), "")


def _add_details(
    executor: Executor, aws: "AwsReader", cluster: ClusterReader, facts: Facts, scope: CollectionScope
) -> Facts:
    """Add roles, keys, hop limits, quotas, the network and the trial."""
    driver = _find_driver_account(facts)
    roles = _map_roles(facts)
    judged = build_driver_scope(facts)
    lookups = [
        executor.submit(aws.read_role, arn, judged if driver in accounts else None)
        for arn, accounts in roles.items()
        if _is_own_role(facts, arn)
    ]
    classes = list_readable(facts.storage_classes)
    key_ids = dict.fromkeys(get_class_key(each) for each in classes)
    keys = [executor.submit(aws.read_key, each) for each in key_ids if each]
    wanted = [each for each in (driver, scope.service_account) if each]
    trials = (
        [] if scope.offline else [executor.submit(_try, aws, cluster, facts, each) for each in dict.fromkeys(wanted)]
    )
    messages = [each.message for each in list_readable(facts.events)]
    quotas = aws.read_quotas() if find_text("quota", messages) else ()
    volumes = _list_unmodified_volumes(facts)
    has_role = any(driver in accounts for accounts in roles.values())
    return replace(
        facts,
        roles=tuple(each.result() for each in lookups),
        keys=tuple(each.result() for each in keys),
        trials=tuple(found for each in trials if (found := each.result())),
        quotas=quotas,
        modifications=aws.read_modifications(volumes) if volumes else (),
        encryption=aws.read_encryption() if _needs_default_key(facts) else None,
        network=_read_network(aws, facts, driver),
        nodes=facts.nodes if has_role else _add_hop_limits(aws, facts, driver),
    )


def _list_unmodified_volumes(facts: Facts) -> list[str]:
    """Return the ids of the volumes that EC2 does not modify again, by the events of their claims."""
    names = {
        each.volume
        for each in list_readable(facts.claims)
        if each.resizing and find_text("modification", [*list_claim_messages(facts, [each]), each.resize_error])
    }
    return [each.volume_id for each in list_readable(facts.volumes) if each.name in names and each.volume_id]


def _needs_default_key(facts: Facts) -> bool:
    """Return whether EC2 may have rejected the default key of the account: its class names no key."""
    return any(
        find_text("kms", list_claim_messages(facts, [claim])) and not get_class_key(find_class(facts, claim))
        for claim in list_pending_claims(facts)
    )


def _read_network(aws: "AwsReader", facts: Facts, driver: str) -> NetworkFacts | Unreadable | None:
    """Return the network of the nodes on which the driver fails; None if its pods reach STS and EC2."""
    pods = list_pods_of(facts, *driver.partition("/")[::2])
    logs = [line for each in pods for line in list_readable(each.log)]
    texts = [*logs, *(each.message for each in list_readable(facts.events))]
    services = [service for service, symptom in UNREACHABLE.items() if find_text(symptom, texts)]
    if not services or isinstance(facts.nodes, Unreadable):
        return facts.nodes if services and isinstance(facts.nodes, Unreadable) else None
    failing = [each for each in pods if any(find_text(UNREACHABLE[name], list_readable(each.log)) for name in services)]
    # An event does not tell which pod of the driver sent the request.
    names = {each.node for each in failing or pods}
    instances = {each.instance_id: each.name for each in facts.nodes if each.name in names}
    instances = {id_: name for id_, name in instances.items() if id_.startswith("i-")}
    return aws.read_network(instances, services) if instances else NetworkFacts()


def _map_roles(facts: Facts) -> dict[str, set[str]]:
    """Return the service accounts of each role, as association or annotation give it."""
    roles: dict[str, set[str]] = {}
    for each in list_readable(facts.service_accounts):
        if each.role_arn:
            roles.setdefault(each.role_arn, set()).add(each.id_)
    for each in list_readable(facts.pod_identities):
        roles.setdefault(each.role_arn, set()).add(f"{each.namespace}/{each.service_account}")
    return roles


def _is_own_role(facts: Facts, arn: str) -> bool:
    """Return whether an ARN is that of a role of the account. GetRole finds a role of the account by its name only."""
    account, parts = facts.account, arn.split(":", 5)
    known = isinstance(account, Unreadable) or account.account == (parts[4] if len(parts) > 5 else "")
    return known and ":role/" in arn


def _try(
    aws: "AwsReader", cluster: ClusterReader, facts: Facts, service_account: str
) -> TrialFacts | Unreadable | None:
    """Return the trial of a service account with IRSA; None for any other one."""
    found = [each for each in list_readable(facts.service_accounts) if each.id_ == service_account]
    associated = {f"{each.namespace}/{each.service_account}" for each in list_readable(facts.pod_identities)}
    if not found or not found[0].role_arn or service_account in associated:
        return None
    account: ServiceAccountFacts = found[0]
    token = cluster.request_token(account.namespace, account.name, account.audience or STS_AUDIENCE)
    if not isinstance(token, str):
        return token
    return aws.try_role(service_account, account.role_arn, token)


def _add_hop_limits(aws: "AwsReader", facts: Facts, driver: str) -> tuple[NodeFacts, ...] | Unreadable:
    """Add the hop limits of the nodes on which the driver runs. It uses the role of the node."""
    if isinstance(facts.nodes, Unreadable) or not driver:
        return facts.nodes
    names = {each.node for each in list_pods_of(facts, *driver.partition("/")[::2])}
    instances = [each.instance_id for each in facts.nodes if each.name in names and each.instance_id.startswith("i-")]
    limits = aws.read_hop_limits(instances) if instances else {}
    if isinstance(limits, Unreadable):
        return tuple(
            replace(each, imds_hop_limit=limits) if each.instance_id in instances else each for each in facts.nodes
        )
    return tuple(replace(each, imds_hop_limit=limits.get(each.instance_id)) for each in facts.nodes)
