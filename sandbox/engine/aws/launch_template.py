"""Launch templates. Every change creates a new version."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.comparison import same_set
from sandbox.engine.aws.resource import CHOSEN, LOCAL, REGION_AND_TAGS, Description, Operation, Properties, Property
from sandbox.engine.aws.services import ec2_type
from sandbox.engine.aws.tags import tag_list, tag_map

# The provider's name of each block of a template, and EC2's name.
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
    """Return whether AWS's value has all of the program's; numbers and booleans may be texts."""
    if isinstance(other, dict):
        return isinstance(one, dict) and all(same_block(one.get(key), value) for key, value in other.items())
    if isinstance(other, list):
        return isinstance(one, list) and len(one) == len(other) and all(map(same_block, one, other))
    return _text(one) == _text(other)


def _outputs(aws: Account, template: Description) -> dict[str, Any]:
    latest = str(template["LatestVersionNumber"])
    which = {"LaunchTemplateId": template["LaunchTemplateId"], "Versions": [latest]}
    version = call(aws.client("ec2"), "DescribeLaunchTemplateVersions", **which)["LaunchTemplateVersions"][0]
    data = {key: _lowered(version["LaunchTemplateData"].get(name)) for key, name in _DATA.items()}
    return {"description": version.get("VersionDescription", ""), **data}


def _new_version(op: Operation, _: Sequence[str]) -> None:
    answer = op.call(
        "CreateLaunchTemplateVersion", VersionDescription=op.news.get("description"), LaunchTemplateData=_data(op.news)
    )
    if op.news.get("updateDefaultVersion"):
        op.call("ModifyLaunchTemplate", DefaultVersion=str(answer["LaunchTemplateVersion"]["VersionNumber"]))


def _data(inputs: Properties) -> dict[str, Any]:
    return {name: _raised(inputs[key]) for key, name in _DATA.items() if inputs.get(key) not in (None, "", [])}


def _raised(value: Any, name: str = "") -> Any:  # noqa: ANN401 - property values
    """Return a value in EC2's spelling. The keys of tags stay as they are."""
    if name == "Tags":
        return tag_list(value)
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _raised(item, key[0].upper() + key[1:]) for key, item in value.items()}
    if isinstance(value, list):
        return [_raised(item) for item in value]
    return value in {True, "true"} if name in _BOOLEANS else value


def _lowered(value: Any, name: str = "") -> Any:  # noqa: ANN401 - property values
    """Return a value in the provider's spelling."""
    if name == "Tags":
        return tag_map(value)
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lowered(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return _text(value) if name in _BOOLEANS else value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _block(same: Callable[[Any, Any], bool]) -> Property:
    return Property(same=same, argument="", path="", update=_new_version)


LAUNCH_TEMPLATE = ec2_type(
    "aws:ec2/launchTemplate:LaunchTemplate",
    "EC2 Launch Template",
    "LaunchTemplate",
    "launch-template",
    {
        **dict.fromkeys(_DATA, _block(same_block)),
        "defaultVersion": Property(computed=True, local=True, argument="", path="DefaultVersionNumber"),
        "description": Property(argument="VersionDescription", update=_new_version),
        "name": Property(replaces=True, computed=True, argument="LaunchTemplateName"),
        "namePrefix": replace(CHOSEN, argument="", path=""),
        "updateDefaultVersion": LOCAL,
        "vpcSecurityGroupIds": _block(same_set),
        **REGION_AND_TAGS,
    },
    more_arguments=lambda _, inputs: {"LaunchTemplateData": _data(inputs)},
    output_paths={"latestVersion": "LatestVersionNumber"},
    more_outputs=_outputs,
    messages={"creating": "creating EC2 Launch Template ({name})"},
    longest_name=128,
)
