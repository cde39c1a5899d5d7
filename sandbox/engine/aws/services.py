"""What the resource types of one AWS service have in common: call names and tags."""

from collections.abc import Mapping
from typing import Any

from sandbox.engine.aws.calls import call
from sandbox.engine.aws.resource import Operation, Property, ResourceType, Tagging
from sandbox.engine.aws.tags import tag_list, tag_map


def whole_id(argument: str) -> str:
    """Return the id pattern of a resource that one argument names."""
    return f"(?P<{argument}>.*)"


def ec2_type(
    token: str,
    label: str,
    noun: str,
    kind: str,
    properties: Mapping[str, Property],
    **rest: Any,  # noqa: ANN401 - fields of ResourceType
) -> ResourceType:
    """Describe a type of EC2 by the noun in its API operations and its name in ARNs and tag specifications."""
    calls: dict[str, Any] = {
        "id_pattern": whole_id(f"{noun}Id"),
        "create": f"Create{noun}",
        "id_path": f"{noun}.{noun}Id",
        "describe": f"Describe{noun}s",
        "list_argument": f"{noun}Ids",
        "description_path": f"{noun}s[0]",
        "delete": f"Delete{noun}",
        "tagging": ec2_tags(kind),
        "arn": f"arn:{{partition}}:ec2:{{region}}:{{account}}:{kind}/{{id}}",
    }
    return ResourceType(token, label, "ec2", properties, **(calls | rest))


def eks_type(
    token: str,
    label: str,
    noun: str,
    id_pattern: str,
    properties: Mapping[str, Property],
    **rest: Any,  # noqa: ANN401 - fields of ResourceType
) -> ResourceType:
    """Describe a type of EKS by the noun in its API operations."""
    calls: dict[str, Any] = {
        "create": f"Create{noun}",
        "describe": f"Describe{noun}",
        "description_path": noun[0].lower() + noun[1:],
        "delete": f"Delete{noun}",
        "tagging": eks_tags(),
    }
    return ResourceType(token, label, "eks", properties, id_pattern, **(calls | rest))


def ec2_tags(kind: str) -> Tagging:
    """Return the tag calls of EC2, which takes the resource's type beside the tags of a create."""

    def change(op: Operation, changed: dict[str, str], removed: list[str]) -> None:
        which = {"Resources": [op.resource_id]}
        if removed:
            call(op.client, "DeleteTags", **which, Tags=[{"Key": key} for key in removed])
        if changed:
            call(op.client, "CreateTags", **which, Tags=tag_list(changed))

    return Tagging(
        create=lambda tags: {"TagSpecifications": [{"ResourceType": kind, "Tags": tag_list(tags)}]} if tags else {},
        read=lambda _, description: tag_map(description.get("Tags")),
        change=change,
    )


def eks_tags(arn: str = "arn") -> Tagging:
    """Return the tag calls of EKS, which takes a map. `arn` is the output with the resource's ARN."""

    def change(op: Operation, changed: dict[str, str], removed: list[str]) -> None:
        if removed:
            call(op.client, "UntagResource", resourceArn=op.olds[arn], tagKeys=removed)
        if changed:
            call(op.client, "TagResource", resourceArn=op.olds[arn], tags=changed)

    return Tagging(
        create=lambda tags: {"tags": dict(tags)} if tags else {},
        read=lambda _, description: dict(description.get("tags") or {}),
        change=change,
    )


def iam_tags(noun: str) -> Tagging:
    """Return the tag calls of IAM, which has an operation for each type."""

    def change(op: Operation, changed: dict[str, str], removed: list[str]) -> None:
        if removed:
            op.call(f"Untag{noun}", TagKeys=removed)
        if changed:
            op.call(f"Tag{noun}", Tags=tag_list(changed))

    return Tagging(
        create=lambda tags: {"Tags": tag_list(tags)},
        read=lambda _, description: tag_map(description.get("Tags")),
        change=change,
    )
