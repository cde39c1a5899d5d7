"""`aws:ec2/launchTemplate:LaunchTemplate`: every change is a new version."""

# ruff: noqa: ARG002 - every resource type has the same operations

from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import ALL_TAGS, CHOSEN, Property, Schema, same_set
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_change, tag_list, tag_map

# Of the provider's blocks, those that keep their form; EC2 spells them with a capital.
_DATA = {
    "blockDeviceMappings": "BlockDeviceMappings",
    "ebsOptimized": "EbsOptimized",
    "imageId": "ImageId",
    "instanceType": "InstanceType",
    "metadataOptions": "MetadataOptions",
    "monitoring": "Monitoring",
    "tagSpecifications": "TagSpecifications",
    "userData": "UserData",
    "vpcSecurityGroupIds": "SecurityGroupIds",
}
_BOOLEANS = frozenset({"DeleteOnTermination", "Encrypted", "EbsOptimized"})


def same_block(one: Any, other: Any) -> bool:  # noqa: ANN401 - property values
    """Whether AWS's value has all that the program's says; numbers and switches may be texts."""
    if isinstance(other, dict):
        return isinstance(one, dict) and all(same_block(one.get(key), value) for key, value in other.items())
    if isinstance(other, list):
        return isinstance(one, list) and len(one) == len(other) and all(map(same_block, one, other))
    return _text(one) == _text(other)


class LaunchTemplate(Resource):
    """Import id: the template's id."""

    schema = Schema(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            **dict.fromkeys(_DATA, Property(same=same_block)),
            "defaultVersion": Property(computed=True),
            "description": Property(),
            "name": Property(replaces=True, computed=True),
            "namePrefix": CHOSEN,
            "region": CHOSEN,
            "tags": Property(),
            "updateDefaultVersion": Property(),
            "vpcSecurityGroupIds": Property(same=same_set),
        },
        longest_name=128,
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        name, tags = inputs["name"], inputs.get(ALL_TAGS)
        try:
            answer = call(
                aws.client("ec2"),
                "CreateLaunchTemplate",
                LaunchTemplateName=name,
                VersionDescription=inputs.get("description"),
                LaunchTemplateData=_data(inputs),
                TagSpecifications=[{"ResourceType": "launch-template", "Tags": tag_list(tags)}] if tags else None,
            )
        except AwsError as error:
            raise failed(f"creating EC2 Launch Template ({name})", error) from error
        return answer["LaunchTemplate"]["LaunchTemplateId"]

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        ec2 = aws.client("ec2")
        try:
            answer = unless_missing(lambda: call(ec2, "DescribeLaunchTemplates", LaunchTemplateIds=[resource_id]))
            if not answer or not answer["LaunchTemplates"]:
                return None
            template = answer["LaunchTemplates"][0]
            latest = str(template["LatestVersionNumber"])
            version = call(ec2, "DescribeLaunchTemplateVersions", LaunchTemplateId=resource_id, Versions=[latest])[
                "LaunchTemplateVersions"
            ][0]
        except AwsError as error:
            raise failed(f"reading EC2 Launch Template ({resource_id})", error) from error
        held = {key: _lowered(version["LaunchTemplateData"].get(name)) for key, name in _DATA.items()}
        return {
            "arn": f"arn:{aws.partition}:ec2:{aws.region}:{aws.id}:launch-template/{resource_id}",
            "defaultVersion": template["DefaultVersionNumber"],
            "description": version.get("VersionDescription", ""),
            "latestVersion": template["LatestVersionNumber"],
            "name": template["LaunchTemplateName"],
            "region": aws.region,
            "tags": tag_map(template.get("Tags")),
            **{key: value for key, value in held.items() if value is not None},
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        ec2 = aws.client("ec2")
        changed, removed = tag_change(olds, news)
        keys = [*_DATA, "description"]
        try:
            if any(not same_block(olds.get(key) or None, news.get(key) or None) for key in keys):
                answer = call(
                    ec2,
                    "CreateLaunchTemplateVersion",
                    LaunchTemplateId=resource_id,
                    VersionDescription=news.get("description"),
                    LaunchTemplateData=_data(news),
                )
                number = answer["LaunchTemplateVersion"]["VersionNumber"]
                if news.get("updateDefaultVersion"):
                    call(ec2, "ModifyLaunchTemplate", LaunchTemplateId=resource_id, DefaultVersion=str(number))
            if removed:
                call(ec2, "DeleteTags", Resources=[resource_id], Tags=[{"Key": key} for key in removed])
            if changed:
                call(ec2, "CreateTags", Resources=[resource_id], Tags=tag_list(changed))
        except AwsError as error:
            raise failed(f"updating EC2 Launch Template ({resource_id})", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        try:
            unless_missing(lambda: call(aws.client("ec2"), "DeleteLaunchTemplate", LaunchTemplateId=resource_id))
        except AwsError as error:
            raise failed(f"deleting EC2 Launch Template ({resource_id})", error) from error


def _data(inputs: Properties) -> dict[str, Any]:
    return {name: _raised(inputs[key]) for key, name in _DATA.items() if inputs.get(key) not in (None, "", [])}


def _raised(value: Any, name: str = "") -> Any:  # noqa: ANN401 - property values
    """In EC2's spelling. Tags keep their keys."""
    if name == "Tags":
        return tag_list(value)
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _raised(item, key[0].upper() + key[1:]) for key, item in value.items()}
    if isinstance(value, list):
        return [_raised(item) for item in value]
    return value in {True, "true"} if name in _BOOLEANS else value


def _lowered(value: Any, name: str = "") -> Any:  # noqa: ANN401
    if name == "Tags":
        return tag_map(value)
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lowered(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return _text(value) if name in _BOOLEANS else value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
