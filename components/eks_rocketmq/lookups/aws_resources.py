"""What the AWS account already has: the import id follows from type and inputs, boto3 says whether it exists.

Used by the preflight of new resources and by `eks-rocketmq adopt`. Works on the account that boto3's session names.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
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
    """Return tags as most services give them, as a mapping."""
    return {pair["Key"]: pair["Value"] for pair in pairs}


def find_role(session: Session, inputs: Inputs) -> ExistingResource | None:
    """A role by name; its import id is the name."""
    name = inputs["name"]
    role = call_or_none(lambda: session.client("iam").get_role(RoleName=name)["Role"])
    return None if role is None else ExistingResource(name, read_tags(role.get("Tags", [])))


def find_role_policy_attachment(session: Session, inputs: Inputs) -> ExistingResource | None:
    """A managed policy on a role; its import id is `role/policy-arn`."""
    role, policy = inputs["role"], inputs["policyArn"]
    pages = session.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = call_or_none(lambda: [p["PolicyArn"] for page in pages for p in page["AttachedPolicies"]])
    return ExistingResource(f"{role}/{policy}") if policy in (attached or []) else None


def find_policy(session: Session, inputs: Inputs) -> ExistingResource | None:
    """A policy of the account by path and name; its import id is the ARN."""
    partition, account = parse_account(session.client("sts").get_caller_identity()["Arn"])
    arn = f"arn:{partition}:iam::{account}:policy{inputs.get('path') or '/'}{inputs['name']}"
    policy = call_or_none(lambda: session.client("iam").get_policy(PolicyArn=arn)["Policy"])
    return None if policy is None else ExistingResource(arn, read_tags(policy.get("Tags", [])))


def find_role_policy(session: Session, inputs: Inputs) -> ExistingResource | None:
    """An inline policy of a role; its import id is `role:policy`."""
    role, name = inputs["role"], inputs["name"]
    policy = call_or_none(lambda: session.client("iam").get_role_policy(RoleName=role, PolicyName=name))
    return None if policy is None else ExistingResource(f"{role}:{name}")


def find_oidc_provider(session: Session, inputs: Inputs) -> ExistingResource | None:
    """An IAM OIDC provider by its URL; its import id is the ARN."""
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
    """Return why a provider must not be imported when the next update would take audiences of others from it."""
    planned = inputs.get("clientIdLists")
    lost = sorted(set(accepted) - set(planned)) if isinstance(planned, list) else []
    if not lost:
        return ""
    return (
        f"IAM OIDC provider {arn!r} accepts audiences that the stack does not list: {', '.join(lost)}. The next "
        "`pulumi up` would remove them, and what uses their tokens could take no role any more. To keep them, list "
        f"them in oidcClientIds (client_ids of ClusterOidcProvider): {json.dumps(lost)}. To give one up, run `aws iam "
        f"remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn {arn} --client-id …` first."
    )


def find_cluster(session: Session, name: str) -> ExistingResource | None:
    """An EKS cluster by name. No `Lookup`: a whole cluster is not imported into the stack that makes its network."""
    cluster = call_or_none(lambda: session.client("eks").describe_cluster(name=name)["cluster"])
    return None if cluster is None else ExistingResource(name, cluster.get("tags", {}))


def find_addon(session: Session, inputs: Inputs) -> ExistingResource | None:
    """An EKS addon by cluster and name; its import id is `cluster:addon`."""
    cluster, name = inputs["clusterName"], inputs["addonName"]
    addon = call_or_none(lambda: session.client("eks").describe_addon(clusterName=cluster, addonName=name)["addon"])
    return None if addon is None else ExistingResource(f"{cluster}:{name}", addon.get("tags", {}))


def find_log_group(session: Session, inputs: Inputs) -> ExistingResource | None:
    """A log group by its whole name; its import id is the name."""
    name, logs = inputs["name"], session.client("logs")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == name), None)
    if found is None:
        return None
    # Tags are asked for by the ARN without the `:*` that stands for the group's streams.
    return ExistingResource(
        name, logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*")).get("tags", {})
    )


def find_pod_identity_association(session: Session, inputs: Inputs) -> ExistingResource | None:
    """The association of a service account; its import id is `cluster,association-id`."""
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
    """How one resource type is looked up."""

    name_inputs: tuple[str, ...]
    """The inputs that name the resource."""
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
"""The look-up of each AWS type that the library creates."""


def find_resource(session: Callable[[], Session], type_: str, inputs: Inputs) -> ExistingResource | None:
    """What the account has under the name that `inputs` give, or None.

    Inputs that only the update will know name nothing that could exist; nobody is asked then.

    Args:
        session: makes the boto3 session.
        type_: a type of `AWS_LOOKUPS`.
        inputs: planned inputs of the resource.

    Raises:
        ClientError: when AWS refuses the question.
    """
    lookup = AWS_LOOKUPS[type_]
    names = [inputs.get(key) for key in lookup.name_inputs]
    if not all(isinstance(name, str) and name not in ("", UNKNOWN) for name in names):
        return None
    return lookup.find(session(), inputs)


def call_or_none(call: Callable[[], Any], also: Collection[str] = ()) -> Any:  # noqa: ANN401 - whatever the API answers
    """Return the answer of an AWS call, or None when AWS says that there is no such thing.

    Args:
        call: makes the call.
        also: further error codes that say so.

    Raises:
        ClientError: every other refusal, such as AccessDenied.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not loaded by programs that only preview

    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in {*_NOT_FOUND_CODES, *also}:
            return None
        raise
