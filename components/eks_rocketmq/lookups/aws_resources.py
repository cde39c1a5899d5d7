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
    return ExistingResource(name, read_tags(role.get("Tags", [])), _describe_lost_trust(session, role, inputs))


def _describe_lost_trust(session: Session, role: Mapping[str, Any], inputs: Inputs) -> str:
    """Return why the role must not be imported, if the next update would lock out the pods of another cluster.

    Providers that do not exist, subjects and audiences are not compared: a wrong trust policy is a reason to adopt.
    """
    planned = inputs.get("assumeRolePolicy")
    if not isinstance(planned, str) or not planned.startswith("{"):
        return ""
    providers = _list_federated(role.get("AssumeRolePolicyDocument", {})) - _list_federated(json.loads(planned))
    iam = session.client("iam")
    lost = [
        arn
        for arn in sorted(providers)
        if ":oidc-provider/" in arn
        and call_or_none(partial(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)) is not None
    ]
    if not lost:
        return ""
    return (
        f"IAM role {role['RoleName']!r} also trusts {', '.join(lost)}. The next `pulumi up` would remove that, and the "
        "service accounts of that cluster could not assume the role any more. Give the role of the stack another name: "
        "ebsCsi.roleName (role_name of EbsCsiAddon and IrsaRole). If no pod of that cluster uses the role, remove the "
        "provider from its trust policy first (`aws iam update-assume-role-policy`)."
    )


def _list_federated(policy: Mapping[str, Any]) -> set[str]:
    """Return the identity providers that a trust policy names. IAM accepts one statement or value without a list."""
    statements = policy.get("Statement", [])
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        federated = principal.get("Federated", []) if isinstance(principal, Mapping) else []
        found.update([federated] if isinstance(federated, str) else federated)
    return found


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
        _describe_lost_audiences(arn, provider.get("ClientIDList", []), inputs),
    )


def _describe_lost_audiences(arn: str, accepted: list[str], inputs: Inputs) -> str:
    """Return why the provider must not be imported, if the next update would remove audiences that others use."""
    planned = inputs.get("clientIdLists")
    lost = sorted(set(accepted) - set(planned)) if isinstance(planned, list) else []
    if not lost:
        return ""
    return (
        f"IAM OIDC provider {arn!r} accepts audiences that the stack does not list: {', '.join(lost)}. The next "
        "`pulumi up` would remove them, and tokens for them could assume no role any more. To keep them, list them "
        f"in oidc.clientIds (client_ids of ClusterOidcProvider): {json.dumps(lost)}. To give one up, run `aws iam "
        f"remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn {arn} --client-id …` first."
    )


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
