"""Facts as the collectors return them when the caller lacks one right."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from eks_rocketmq.doctor.facts.cluster_facts import Facts, KeyFacts, OidcProviderFacts, RoleFacts, Unreadable
from eks_rocketmq.doctor.facts.network_facts import NetworkFacts

FORBIDDEN = "403 Forbidden"


def unread(permission: str) -> Unreadable:
    """Return the fact for a denied request."""
    return Unreadable(permission.replace(" on ", " for "), permission, FORBIDDEN)


def _deny_cluster(facts: Facts) -> Facts:
    # Without the cluster's name no policy is read, and without its issuer no client id.
    roles = tuple(
        each if isinstance(each, Unreadable) else replace(each, policies=(), boundary=None, simulated=())
        for each in facts.roles
    )
    return replace(facts, cluster=unread("eks:DescribeCluster on prod"), roles=roles, providers=_forget_ids(facts))


def _forget_ids(facts: Facts) -> Any:
    return tuple(OidcProviderFacts(each.arn) for each in _items(facts.providers))


def _deny_client_ids(facts: Facts) -> Facts:
    providers = tuple(
        replace(each, client_ids=unread(f"iam:GetOpenIDConnectProvider on {each.arn}"))
        for each in _items(facts.providers)
    )
    return replace(facts, providers=providers)


def _deny_role_part(permission: str, *parts: str) -> Callable[[Facts], Facts]:
    def deny(facts: Facts) -> Facts:
        def change(role: RoleFacts | Unreadable) -> RoleFacts | Unreadable:
            if isinstance(role, Unreadable) or not role.exists:
                return role
            lost = {
                name: unread(f"{permission} on {role.arn}") for name in parts if name != "boundary" or role.boundary
            }
            return replace(role, **lost)

        return replace(facts, roles=tuple(map(change, facts.roles)))

    return deny


def _deny_roles(facts: Facts) -> Facts:
    roles = tuple(
        each if isinstance(each, Unreadable) else unread(f"iam:GetRole on {each.arn}") for each in facts.roles
    )
    return replace(facts, roles=roles)


def _deny_keys(facts: Facts) -> Facts:
    keys = tuple(
        each if isinstance(each, Unreadable) else unread(f"kms:DescribeKey on {each.id_}") for each in facts.keys
    )
    return replace(facts, keys=keys)


def _deny_key_policies(facts: Facts) -> Facts:
    def change(key: KeyFacts | Unreadable) -> KeyFacts | Unreadable:
        return key if isinstance(key, Unreadable) else replace(key, policy=unread(f"kms:GetKeyPolicy on {key.id_}"))

    return replace(facts, keys=tuple(map(change, facts.keys)))


def _deny_encryption(facts: Facts) -> Facts:
    if facts.encryption is None:
        return facts
    return replace(facts, encryption=replace(facts.encryption, by_default=unread("ec2:GetEbsEncryptionByDefault")))


def _deny_default_key(facts: Facts) -> Facts:
    if facts.encryption is None:
        return facts
    return replace(facts, encryption=replace(facts.encryption, key=unread("ec2:GetEbsDefaultKmsKeyId")))


def _deny_modifications(facts: Facts) -> Facts:
    return replace(facts, modifications=unread("ec2:DescribeVolumesModifications")) if facts.modifications else facts


def _deny_network_part(part: str, permission: str) -> Callable[[Facts], Facts]:
    def deny(facts: Facts) -> Facts:
        if not isinstance(facts.network, NetworkFacts) or not getattr(facts.network, part):
            return facts
        # Without the endpoints their groups are not known.
        lost = {part: unread(permission), **({"security_groups": ()} if part == "endpoints" else {})}
        return replace(facts, network=replace(facts.network, **lost))

    return deny


def _deny_nodes(facts: Facts) -> Facts:
    denied = unread("list nodes")
    return replace(facts, nodes=denied, network=denied if facts.network else None)


def _deny_instances(facts: Facts) -> Facts:
    limit = unread("ec2:DescribeInstances")
    return replace(
        facts,
        network=limit if facts.network else None,
        nodes=tuple(
            replace(each, imds_hop_limit=limit if each.imds_hop_limit is not None else None)
            for each in _items(facts.nodes)
        ),
    )


def _deny_associations(permission: str) -> Callable[[Facts], Facts]:
    def deny(facts: Facts) -> Facts:
        arns = {each.role_arn for each in _items(facts.service_accounts)}
        roles = tuple(each for each in facts.roles if isinstance(each, Unreadable) or each.arn in arns)
        return replace(facts, pod_identities=unread(permission), roles=roles)

    return deny


def _deny_service_accounts(facts: Facts) -> Facts:
    arns = {each.role_arn for each in _items(facts.pod_identities)}
    roles = tuple(each for each in facts.roles if isinstance(each, Unreadable) or each.arn in arns)
    return replace(facts, service_accounts=unread("list serviceaccounts"), roles=roles, trials=())


def _deny_list(field: str, permission: str) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, **{field: unread(permission)})


def _deny_logs(facts: Facts) -> Facts:
    pods = tuple(replace(each, log=unread("get pods/log")) if each.log else each for each in _items(facts.pods))
    return replace(facts, pods=pods)


def _deny_trials(facts: Facts) -> Facts:
    trials = tuple(
        replace(unread("create serviceaccounts/token"), call=f"create serviceaccounts/token of {each.service_account}")
        for each in facts.trials
        if not isinstance(each, Unreadable)
    )
    return replace(facts, trials=trials)


def _deny_attachments(facts: Facts) -> Facts:
    denied = unread("list volumeattachments.storage.k8s.io")
    return replace(facts, volumes=tuple(replace(each, attached_to=denied) for each in _items(facts.volumes)))


def _deny_classes(facts: Facts) -> Facts:
    return replace(facts, storage_classes=unread("list storageclasses.storage.k8s.io"), keys=())


def _items(facts: Any) -> Any:
    return () if isinstance(facts, Unreadable) else facts


DENIALS: Mapping[str, Callable[[Facts], Facts]] = {
    "ec2:DescribeInstances": _deny_instances,
    "ec2:DescribeRouteTables": _deny_network_part("route_tables", "ec2:DescribeRouteTables"),
    "ec2:DescribeSecurityGroups": _deny_network_part("security_groups", "ec2:DescribeSecurityGroups"),
    "ec2:DescribeVpcEndpoints": _deny_network_part("endpoints", "ec2:DescribeVpcEndpoints"),
    "ec2:DescribeVolumesModifications": _deny_modifications,
    "ec2:GetEbsDefaultKmsKeyId": _deny_default_key,
    "ec2:GetEbsEncryptionByDefault": _deny_encryption,
    "eks:DescribeAddon": _deny_list("addons", "eks:DescribeAddon on aws-ebs-csi-driver"),
    "eks:DescribeCluster": _deny_cluster,
    "eks:DescribePodIdentityAssociation": _deny_associations("eks:DescribePodIdentityAssociation on arn"),
    "eks:ListAddons": _deny_list("addons", "eks:ListAddons"),
    "eks:ListPodIdentityAssociations": _deny_associations("eks:ListPodIdentityAssociations"),
    "iam:GetOpenIDConnectProvider": _deny_client_ids,
    "iam:GetPolicy": _deny_role_part("iam:GetPolicy", "policies", "boundary"),
    "iam:GetPolicyVersion": _deny_role_part("iam:GetPolicyVersion", "policies", "boundary"),
    "iam:GetRole": _deny_roles,
    "iam:GetRolePolicy": _deny_role_part("iam:GetRolePolicy", "policies"),
    "iam:ListAttachedRolePolicies": _deny_role_part("iam:ListAttachedRolePolicies", "policies"),
    "iam:ListOpenIDConnectProviders": _deny_list("providers", "iam:ListOpenIDConnectProviders"),
    "iam:ListRolePolicies": _deny_role_part("iam:ListRolePolicies", "policies"),
    "iam:SimulatePrincipalPolicy": _deny_role_part("iam:SimulatePrincipalPolicy", "simulated"),
    "kms:DescribeKey": _deny_keys,
    "kms:GetKeyPolicy": _deny_key_policies,
    "servicequotas:ListServiceQuotas": _deny_list("quotas", "servicequotas:ListServiceQuotas"),
    "list events": _deny_list("events", "list events"),
    "list nodes": _deny_nodes,
    "list persistentvolumeclaims": _deny_list("claims", "list persistentvolumeclaims"),
    "list persistentvolumes": _deny_list("volumes", "list persistentvolumes"),
    "list pods": _deny_list("pods", "list pods"),
    "list serviceaccounts": _deny_service_accounts,
    "get pods/log": _deny_logs,
    "list daemonsets.apps": _deny_list("workloads", "list daemonsets.apps"),
    "list deployments.apps": _deny_list("workloads", "list deployments.apps"),
    "list csidrivers.storage.k8s.io": _deny_list("csi_drivers", "list csidrivers.storage.k8s.io"),
    "list csinodes.storage.k8s.io": _deny_list("csi_nodes", "list csinodes.storage.k8s.io"),
    "list storageclasses.storage.k8s.io": _deny_classes,
    "list volumeattachments.storage.k8s.io": _deny_attachments,
    "get mutatingwebhookconfigurations.admissionregistration.k8s.io": _deny_list(
        "webhook", "get mutatingwebhookconfigurations.admissionregistration.k8s.io"
    ),
    "create serviceaccounts/token": _deny_trials,
}
"""Function that takes a right away, by right."""
