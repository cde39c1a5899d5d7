"""Lookups of existing AWS resources. The import id follows from type and inputs; boto3 finds the resource.

Used by the checks before a create and by `eks-rocketmq adopt`. The boto3 session selects the account.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from eks_rocketmq.args.aws_identifiers import build_oidc_provider_arn, parse_account
from eks_rocketmq.lookups.aws_session import Session
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.policy_elements import POD_IDENTITY_SERVICE
from eks_rocketmq.lookups.role_trust import list_pod_identity_clusters, list_trusted_providers
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN

ROLE = "aws:iam/role:Role"
ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
CUSTOMER_POLICY = "aws:iam/policy:Policy"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
ADDON = "aws:eks/addon:Addon"
CLUSTER = "aws:eks/cluster:Cluster"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
POD_IDENTITY_ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
_NOT_FOUND_CODES = frozenset({"NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"})

_OTHER_NAME = "Give the role of the stack another name: ebsCsi.roleName (role_name of EbsCsiAddon and IrsaRole)."

Inputs = Mapping[str, Any]
"""Inputs of a resource in the provider's own (camelCase) names."""


def read_tags(pairs: list[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of an AWS response as a mapping, for services that use `Key` and `Value`."""
    return {pair["Key"]: pair["Value"] for pair in pairs}


def find_role(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find an IAM role by name. Its import id is the name."""
    name = inputs["name"]
    role = call_or_none(lambda: session.client("iam").get_role(RoleName=name)["Role"])
    if role is None:
        return None
    blockers = partial(_find_role_blockers, session, role, inputs)
    return ExistingResource(name, read_tags(role.get("Tags", [])), blockers)


def _find_role_blockers(session: Session, role: Mapping[str, Any], inputs: Inputs) -> list[str]:
    """Return why the role must not be imported, if the next update would replace it or lock out other pods.

    Providers that do not exist, subjects and audiences are not compared: a wrong trust policy is a reason to adopt.
    """
    planned = inputs.get("assumeRolePolicy")
    if not isinstance(planned, str) or not planned.startswith("{"):
        return _describe_other_path(role, inputs)
    trusted, wanted = role.get("AssumeRolePolicyDocument", {}), json.loads(planned)
    lost = list_trusted_providers(trusted) - list_trusted_providers(wanted)
    return [
        *_describe_other_path(role, inputs),
        *_describe_lost_providers(role["RoleName"], *_find_providers(session, role, lost)),
        *_describe_lost_clusters(
            role["RoleName"], list_pod_identity_clusters(trusted), list_pod_identity_clusters(wanted)
        ),
    ]


def _describe_other_path(role: Mapping[str, Any], inputs: Inputs) -> list[str]:
    path, planned = role["Path"], inputs.get("path") or "/"
    if planned in {path, UNKNOWN}:
        return []
    return [
        f"IAM role {role['RoleName']!r} has the path {path!r}, and the stack plans {planned!r}. The path of a role "
        f"cannot change, so the next `pulumi up` would replace the role. Set ebsCsi.path to {path!r} (path of "
        "EbsCsiAddon and IrsaRole)."
    ]


def _describe_lost_providers(name: str, existing: list[str], unreadable: list[str]) -> list[str]:
    blockers = []
    if existing:
        blockers.append(
            f"IAM role {name!r} also trusts {', '.join(existing)}. The next `pulumi up` would remove that, and the "
            f"service accounts of that cluster could not assume the role any more. {_OTHER_NAME} If no pod of that "
            "cluster uses the role, remove the provider from its trust policy first (`aws iam "
            "update-assume-role-policy`)."
        )
    if unreadable:
        blockers.append(
            f"IAM role {name!r} also trusts {', '.join(unreadable)}. You may not read whether this exists. Ask for the "
            "permission iam:GetOpenIDConnectProvider and run this again. If no pod of that cluster uses the role, "
            "remove the provider from its trust policy instead (`aws iam update-assume-role-policy`)."
        )
    return blockers


def _describe_lost_clusters(name: str, trusted: set[str], planned: set[str]) -> list[str]:
    if not (lost := trusted - planned):
        return []
    limit = f", or limit it to {', '.join(sorted(planned))} (condition aws:RequestTag/eks-cluster-arn)"
    return [
        f"IAM role {name!r} also trusts EKS Pod Identity of {', '.join(sorted(lost))}. The next `pulumi up` would "
        f"remove that, and the pods there could not assume the role any more. {_OTHER_NAME} If no pod of another "
        f"cluster uses the role, remove the statement for {POD_IDENTITY_SERVICE} from its trust policy first (`aws iam "
        f"update-assume-role-policy`){limit if planned else ''}."
    ]


def _find_providers(session: Session, role: Mapping[str, Any], arns: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the OIDC providers that exist, and those that the caller may not read.

    STS accepts no token of a provider of another account than that of the role.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - programs that only preview do not load it

    partition, account = parse_account(role["Arn"])
    iam = session.client("iam")
    existing, unreadable = [], []
    for arn in sorted(arns):
        if not arn.startswith(f"arn:{partition}:iam::{account}:oidc-provider/"):
            continue
        try:
            if call_or_none(partial(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)) is not None:
                existing.append(arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            unreadable.append(arn)
    return existing, unreadable


def find_role_policy_attachment(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find a managed policy that is attached to a role. Its import id is `role/policy-arn`."""
    role, policy = inputs["role"], inputs["policyArn"]
    pages = session.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = call_or_none(lambda: [p["PolicyArn"] for page in pages for p in page["AttachedPolicies"]])
    return ExistingResource(f"{role}/{policy}") if policy in (attached or []) else None


def find_policy(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find a customer managed policy by path and name. Its import id is the ARN."""
    partition, account = parse_account(session.client("sts").get_caller_identity()["Arn"])
    arn = f"arn:{partition}:iam::{account}:policy{inputs.get('path') or '/'}{inputs['name']}"
    policy = call_or_none(lambda: session.client("iam").get_policy(PolicyArn=arn)["Policy"])
    return None if policy is None else ExistingResource(arn, read_tags(policy.get("Tags", [])))


def find_role_policy(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find an inline policy of a role. Its import id is `role:policy`."""
    role, name = inputs["role"], inputs["name"]
    policy = call_or_none(lambda: session.client("iam").get_role_policy(RoleName=role, PolicyName=name))
    return None if policy is None else ExistingResource(f"{role}:{name}")


def find_oidc_provider(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find an IAM OIDC provider by its URL. Its import id is the ARN."""
    arn = build_oidc_provider_arn(session.client("sts").get_caller_identity()["Arn"], inputs["url"])
    provider = call_or_none(lambda: session.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn))
    if provider is None:
        return None
    return ExistingResource(
        arn,
        read_tags(provider.get("Tags", [])),
        partial(_describe_lost_audiences, arn, provider.get("ClientIDList", []), inputs),
    )


def _describe_lost_audiences(arn: str, accepted: list[str], inputs: Inputs) -> list[str]:
    """Return why the provider must not be imported, if the next update would remove audiences that others use."""
    planned = inputs.get("clientIdLists")
    lost = sorted(set(accepted) - set(planned)) if isinstance(planned, list) else []
    if not lost:
        return []
    return [
        f"IAM OIDC provider {arn!r} accepts audiences that the stack does not list: {', '.join(lost)}. The next "
        "`pulumi up` would remove them, and tokens for them could assume no role any more. To keep them, list them "
        f"in oidc.clientIds (client_ids of ClusterOidcProvider): {json.dumps(lost)}. To give one up, run `aws iam "
        f"remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn {arn} --client-id …` first."
    ]


def find_cluster(session: Session, name: str) -> ExistingResource | None:
    """Find an EKS cluster by name.

    There is no `Lookup` for it, because a stack that creates the network does not import a whole cluster.
    """
    cluster = call_or_none(lambda: session.client("eks").describe_cluster(name=name)["cluster"])
    return None if cluster is None else ExistingResource(name, cluster.get("tags", {}))


def find_addon(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find an EKS addon by cluster and name. Its import id is `cluster:addon`."""
    cluster, name = inputs["clusterName"], inputs["addonName"]
    addon = call_or_none(lambda: session.client("eks").describe_addon(clusterName=cluster, addonName=name)["addon"])
    return None if addon is None else ExistingResource(f"{cluster}:{name}", addon.get("tags", {}))


def find_log_group(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find a log group by its full name. Its import id is the name."""
    name, logs = inputs["name"], session.client("logs")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == name), None)
    if found is None:
        return None
    # ListTagsForResource needs the ARN without the suffix `:*`, which means the streams of the group.
    return ExistingResource(
        name, logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*")).get("tags", {})
    )


def find_pod_identity_association(session: Session, inputs: Inputs) -> ExistingResource | None:
    """Find the EKS Pod Identity association of a service account. Its import id is `cluster,association-id`."""
    cluster, account = inputs["clusterName"], inputs["serviceAccount"]
    eks = session.client("eks")
    listed = call_or_none(
        lambda: eks.list_pod_identity_associations(
            clusterName=cluster, namespace=inputs["namespace"], serviceAccount=account
        )["associations"]
    )
    if not listed:
        return None
    id_ = listed[0]["associationId"]
    found = eks.describe_pod_identity_association(clusterName=cluster, associationId=id_)["association"]
    return ExistingResource(f"{cluster},{id_}", found.get("tags", {}))


@dataclass(frozen=True)
class Lookup:
    """Lookup of one resource type."""

    name_inputs: tuple[str, ...]
    """Inputs that identify the resource."""
    find: Callable[[Session, Inputs], ExistingResource | None]


AWS_LOOKUPS: Mapping[str, Lookup] = {
    ROLE: Lookup(("name",), find_role),
    ROLE_POLICY_ATTACHMENT: Lookup(("role", "policyArn"), find_role_policy_attachment),
    CUSTOMER_POLICY: Lookup(("name",), find_policy),
    ROLE_POLICY: Lookup(("role", "name"), find_role_policy),
    OIDC_PROVIDER: Lookup(("url",), find_oidc_provider),
    ADDON: Lookup(("clusterName", "addonName"), find_addon),
    LOG_GROUP: Lookup(("name",), find_log_group),
    POD_IDENTITY_ASSOCIATION: Lookup(("clusterName", "namespace", "serviceAccount"), find_pod_identity_association),
}
"""Lookups by type, for the AWS types that the library creates with a known name."""


def find_resource(create_session: Callable[[], Session], type_: str, inputs: Inputs) -> ExistingResource | None:
    """Return the AWS resource that has the planned name, or None.

    AWS is not called if a name is unknown before the update: no resource can have it.

    `type_` is a type of `AWS_LOOKUPS`. Raise ClientError if AWS rejects the request.
    """
    lookup = AWS_LOOKUPS[type_]
    names = [inputs.get(key) for key in lookup.name_inputs]
    if not all(isinstance(name, str) and name not in ("", UNKNOWN) for name in names):
        return None
    return lookup.find(create_session(), inputs)


def call_or_none(call: Callable[[], Any], not_found_codes: Collection[str] = ()) -> Any:  # noqa: ANN401 - responses of different types
    """Return the result of an AWS call, or None if the resource does not exist.

    `not_found_codes` are further error codes for a resource that does not exist. Raise ClientError if AWS rejects the
    request for another reason, such as AccessDenied.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - programs that only preview do not load it

    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in {*_NOT_FOUND_CODES, *not_found_codes}:
            return None
        raise
