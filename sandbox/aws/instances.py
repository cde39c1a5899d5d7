"""EC2 instances: in the zone of their subnet, and with the instance id of the node with their address."""

from collections.abc import Callable
from typing import Any

from sandbox import layout
from sandbox.aws import patching
from sandbox.aws.emulator import ec2, responses


def install() -> None:
    """Correct the emulator's record of a new instance.

    An instance with the private address of a node in `layout.NODES` is that node. It gets the instance id of the node's
    kubelet.
    """
    patching.require(ec2, "_instances", "_volumes", "_subnets")

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
