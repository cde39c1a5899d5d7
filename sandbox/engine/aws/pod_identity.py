"""`aws:eks/podIdentityAssociation:PodIdentityAssociation`."""

# ruff: noqa: ARG002 - every resource type has the same operations

from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import ALL_TAGS, Property, Schema, arn
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_change

_CHANGEABLE = ("disableSessionTags", "roleArn", "targetRoleArn")


class PodIdentityAssociation(Resource):
    """Import id: `cluster,association-id`."""

    schema = Schema(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        properties={
            "clusterName": Property(replaces=True),
            "disableSessionTags": Property(computed=True),
            "namespace": Property(replaces=True),
            "region": Property(computed=True, replaces=True),
            "roleArn": Property(refusal=arn("role_arn")),
            "serviceAccount": Property(replaces=True),
            "tags": Property(),
            "targetRoleArn": Property(refusal=arn("target_role_arn")),
        },
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        cluster, account = inputs["clusterName"], inputs["serviceAccount"]
        try:
            made = call(
                aws.eks,
                "CreatePodIdentityAssociation",
                clusterName=cluster,
                namespace=inputs["namespace"],
                serviceAccount=account,
                roleArn=inputs["roleArn"],
                targetRoleArn=inputs.get("targetRoleArn"),
                disableSessionTags=inputs.get("disableSessionTags"),
                tags=inputs.get(ALL_TAGS) or None,
            )["association"]
        except AwsError as error:
            raise failed(f"creating EKS Pod Identity Association ({account})", error) from error
        return f"{cluster},{made['associationId']}"

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        cluster, separator, association = resource_id.partition(",")
        if not separator or not association:
            wanted = "unexpected format for ID, expected cluster_name,association_id"
            raise failed(f"importing {resource_id!r}", ValueError(wanted))
        try:
            found = describe(aws, cluster, association)
        except AwsError as error:
            raise failed(f"reading EKS Pod Identity Association ({resource_id})", error) from error
        return found and {
            "associationArn": found["associationArn"],
            "associationId": found["associationId"],
            "clusterName": found["clusterName"],
            "disableSessionTags": found.get("disableSessionTags", False),
            "externalId": found.get("externalId", ""),
            "namespace": found["namespace"],
            "region": aws.region,
            "roleArn": found["roleArn"],
            "serviceAccount": found["serviceAccount"],
            "tags": found.get("tags", {}),
            "targetRoleArn": found.get("targetRoleArn", ""),
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        cluster, _, association = resource_id.partition(",")
        differing = {key: news.get(key) for key in _CHANGEABLE if (news.get(key) or "") != (olds.get(key) or "")}
        changed, removed = tag_change(olds, news)
        try:
            if differing:
                call(
                    aws.eks,
                    "UpdatePodIdentityAssociation",
                    clusterName=cluster,
                    associationId=association,
                    **differing,
                )
            if removed:
                call(aws.eks, "UntagResource", resourceArn=olds["associationArn"], tagKeys=removed)
            if changed:
                call(aws.eks, "TagResource", resourceArn=olds["associationArn"], tags=changed)
        except AwsError as error:
            raise failed(f"updating EKS Pod Identity Association ({resource_id})", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        cluster, _, association = resource_id.partition(",")
        try:
            unless_missing(
                lambda: call(aws.eks, "DeletePodIdentityAssociation", clusterName=cluster, associationId=association)
            )
        except AwsError as error:
            raise failed(f"deleting EKS Pod Identity Association ({resource_id})", error) from error


def describe(aws: Account, cluster: str, association: str) -> dict[str, Any] | None:
    """An association by its id; None when there is none."""
    found = unless_missing(
        lambda: call(aws.eks, "DescribePodIdentityAssociation", clusterName=cluster, associationId=association)
    )
    return found and found["association"]
