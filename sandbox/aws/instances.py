"""EC2 instances: in their subnet's zone, with the instance id of the node, and with metadata options."""

from collections.abc import Callable
from typing import Any

from sandbox import layout
from sandbox.aws import patching
from sandbox.aws.emulator import Parameters, Response, ec2, responses

HOP_LIMIT = 2
"""Hop limit of the metadata service on nodes of EKS. With 1 pods do not reach it."""


def install() -> None:
    """Correct the emulator's record of a new instance.

    An instance with the private address of a node in `layout.NODES` is that node. It gets the instance id of the node's
    kubelet.
    """
    patching.require(ec2, "_instances", "_volumes", "_subnets", "_p", "_xml", "_error")
    patching.add_verb(ec2._ACTION_MAP, "ModifyInstanceMetadataOptions", _modify_metadata)

    def _instance_xml(inst: dict[str, Any]) -> str:
        return stock_xml(inst).rstrip().removesuffix("</item>") + f"{_metadata(inst)}</item>"

    stock_xml = patching.replace(ec2, "_instance_xml", _instance_xml)

    def launch(_: patching.Arguments, stock: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        created = stock()
        for instance in created:
            _correct(instance)
        return created

    parameters = "image_id instance_type subnet_id count key_name user_data sg_ids requested_private_ip iam_profile"
    patching.wrap(ec2, "_launch_instances_internal", parameters, launch)


def _correct(instance: dict[str, Any]) -> None:
    zone = ec2._subnets.get(instance["SubnetId"], {}).get("AvailabilityZone", f"{responses.get_region()}a")
    address = instance["PrivateIpAddress"]
    old = instance["InstanceId"]
    new = next((node.instance_id for node in layout.NODES if node.address == address), old)
    instance["InstanceId"] = new
    instance["Placement"]["AvailabilityZone"] = zone
    instance["PrivateDnsName"] = f"ip-{address.replace('.', '-')}.{responses.get_region()}.compute.internal"
    for mapping in instance["BlockDeviceMappings"]:
        root = ec2._volumes[mapping["Ebs"]["VolumeId"]]
        root["AvailabilityZone"] = zone
        for attachment in root["Attachments"]:
            attachment["InstanceId"] = new
    ec2._instances[new] = ec2._instances.pop(old)


def _modify_metadata(p: Parameters) -> Response:
    """Set the hop limit. The sandbox has no metadata service, so nothing else of it has an effect."""
    name, limit = ec2._p(p, "InstanceId"), ec2._p(p, "HttpPutResponseHopLimit")
    instance = ec2._instances.get(name)
    if instance is None:
        return ec2._error("InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist", 400)
    if limit:
        instance["_hop_limit"] = int(limit)
    body = f"<instanceId>{name}</instanceId>{_metadata(instance, 'instanceMetadataOptions')}"
    return ec2._xml(200, "ModifyInstanceMetadataOptionsResponse", body)


def _metadata(instance: dict[str, Any], element: str = "metadataOptions") -> str:
    return (
        f"<{element}><state>applied</state><httpTokens>required</httpTokens><httpEndpoint>enabled</httpEndpoint>"
        f"<httpPutResponseHopLimit>{instance.get('_hop_limit', HOP_LIMIT)}</httpPutResponseHopLimit></{element}>"
    )
