"""Managed nodes of a cluster."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi_aws as aws
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from eks_rocketmq.component import checked, child_options, type_token
from eks_rocketmq.documentation import documented
from eks_rocketmq.eks.identifiers import key_arn, kubernetes_version, role_arn
from eks_rocketmq.eks.node_plan import NODE_POLICIES, NodePlan, own_subnet, plan_nodes
from eks_rocketmq.eks.objects import service_role
from eks_rocketmq.eks.preflight import warn_of_node_role
from eks_rocketmq.eks.service_documents import NODE_SERVICE
from eks_rocketmq.preflight import ownership_tags
from eks_rocketmq.shape import hold


class NodeTaintArgs(TypedDict):
    """A taint, which keeps away pods that do not tolerate it."""

    key: str
    """Its key, such as `dedicated`."""
    value: NotRequired[str]
    """Its value; default: empty."""
    effect: NotRequired[str]
    """`NoSchedule` (default), `NoExecute` or `PreferNoSchedule`."""


class NodeGroupArgs(TypedDict):
    """Which machines, where, and how many."""

    cluster_name: Input[str]
    """Name of the cluster. Changing it replaces the groups."""
    subnet_ids: Input[Sequence[Input[str]]]
    """Private subnets of the nodes, one for each zone. Changing them replaces the groups, the new one first."""
    zone_count: NotRequired[int]
    """How many subnets there are; needed when they are computed, as those of `Network`. Default: as many as are
    listed."""
    per_zone: NotRequired[bool]
    """One group of EKS for each zone; default: True. An EBS volume lives in one zone, and a group over several may put
    its next node into another one, where the pod that owns the volume cannot start. False: one group over all."""
    zone_by_zone: NotRequired[bool]
    """Create and update the groups of the zones one after the other; default: True. Updated at once, they evict two
    members of a broker group at a time: the disruption budget holds the second, and EKS gives up after 15 minutes.
    False is faster at the first create."""
    instance_types: list[str]
    """Types such as `m7i.large`, of one architecture; `m7g.large` and the like are arm64. Changing them replaces the
    groups, the new one first."""
    min_size: NotRequired[int]
    """Fewest nodes of a group, with `per_zone` of a zone; default: `desired_size`."""
    desired_size: NotRequired[int]
    """Nodes of a group, with `per_zone` of a zone; default: 1."""
    max_size: NotRequired[int]
    """Most nodes of a group, with `per_zone` of a zone; default: `desired_size`."""
    autoscaled: NotRequired[bool]
    """Leave the number of nodes to an autoscaler once the group exists; default: False."""
    capacity_type: NotRequired[str]
    """`ON_DEMAND` (default) or `SPOT`, which AWS takes back with two minutes' notice. Changing it replaces the
    groups, the new one first."""
    ami_type: NotRequired[str]
    """Image; default: Amazon Linux 2023 for the architecture of the instance types. `AL2023_x86_64_STANDARD`,
    `AL2023_ARM_64_STANDARD`, `BOTTLEROCKET_x86_64`, `BOTTLEROCKET_ARM_64`, `BOTTLEROCKET_x86_64_FIPS` or
    `BOTTLEROCKET_ARM_64_FIPS`. Changing it replaces the groups, the new one first."""
    version: NotRequired[Input[str]]
    """Kubernetes version of the nodes, the cluster's or up to three older; default: the cluster's at the create, and
    then what they have. Give the cluster's version and the nodes follow its upgrades."""
    release_version: NotRequired[str]
    """Release of the image, such as `1.35.2-20260715`; default: the newest at the create, and then what they have."""
    disk_size: NotRequired[int]
    """Size in GiB of the nodes' own disk (images, logs; messages live on claims), 20 at least; default: 50. It is an
    encrypted gp3 volume. Changing it rolls the nodes."""
    disk_kms_key_arn: NotRequired[Input[str]]
    """KMS key of that disk; default: AWS's own for EBS. Changing it rolls the nodes."""
    metadata_hop_limit: NotRequired[int]
    """How far answers of the instance metadata service travel, 1 to 64; default: 1, so that no pod takes the node's
    role. The EBS CSI driver's node pods then ask Kubernetes instead and assume one volume and one network interface:
    2 gives them the true limits of the instance. Changing it rolls the nodes."""
    labels: NotRequired[dict[str, str]]
    """Labels of the nodes; default: none but EKS's own. Those of Kubernetes and of EKS are refused, such as
    `node-role.kubernetes.io/broker`: nodes do not join with them."""
    taints: NotRequired[list[NodeTaintArgs]]
    """Taints of the nodes; default: none."""
    max_unavailable: NotRequired[int]
    """Nodes of a group that an update takes at a time, 1 to 100; default: 1."""
    update_strategy: NotRequired[str]
    """`DEFAULT` (default; new nodes first) or `MINIMAL` (old nodes first, where capacity is scarce)."""
    force_update: NotRequired[bool]
    """Let an update go on where a disruption budget refuses an eviction; default: False, it fails."""
    node_repair: NotRequired[bool]
    """Let EKS replace a node that it finds unhealthy; default: True."""
    role_arn: NotRequired[Input[str]]
    """Role of the nodes; default: one is made. Changing it replaces the groups."""
    managed_policies: NotRequired[list[str]]
    """Further policies of the role that is made, without `role_arn`: of AWS by path and name, such as
    `AmazonSSMManagedInstanceCore`, of an account by ARN; default: none beside those to join and to pull images."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of groups, role, instances, volumes and network interfaces; default: only the stack's own mark."""


@documented
class NodeGroup(ComponentResource):
    """Managed nodes: one group of EKS for each zone, from one launch template.

    The metadata service answers only to tokens (IMDSv2), disks are encrypted, nobody logs in. Nodes become ready only
    with a pod network: depend on the `ClusterAddons` of the stage `before_nodes`. What EKS would refuse is refused with
    a ValueError at preview.
    """

    role_arn: Output[str]
    """ARN of the nodes' role."""
    group_names: Output[list[str]]
    """Names of the groups in EKS, in the order of the subnets."""
    launch_template_id: Output[str]
    """Id of the launch template."""

    def __init__(self, name: str, args: NodeGroupArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("NodeGroup"), name, {}, opts)
        hold(args, NodeGroupArgs)
        plan = plan_nodes(name, args)
        policies: list[Resource] = []
        if "role_arn" in args:
            self.role_arn = Output.from_input(checked(args["role_arn"], role_arn, "role_arn"))
        else:
            role, policies[:] = service_role(
                self,
                name,
                service=NODE_SERVICE,
                policies=[*NODE_POLICIES, *args.get("managed_policies", [])],
                tags=args.get("tags", {}),
            )
            self.role_arn = role.arn
        template = self._launch_template(name, args, plan)
        groups: list[aws.eks.NodeGroup] = []
        for place in range(plan.groups):
            # Without them a node cannot join, and EKS cannot take its network interfaces away at the end.
            after: list[Resource] = list(policies)
            if args.get("zone_by_zone", True):
                # Two zones that roll at once evict two members of a broker group: one budget holds both updates up.
                after += groups[-1:]
            groups.append(self._group(f"{name}-{place + 1}", args, plan, template, _subnets(args, plan, place), after))
        self.group_names = Output.all(*[group.node_group_name for group in groups])
        self.launch_template_id = template.id
        self.register_outputs(
            {
                "roleArn": self.role_arn,
                "groupNames": self.group_names,
                "launchTemplateId": self.launch_template_id,
            }
        )

    def _launch_template(self, name: str, args: NodeGroupArgs, plan: NodePlan) -> "aws.ec2.LaunchTemplate":
        tags = {**args.get("tags", {}), **ownership_tags()}
        return aws.ec2.LaunchTemplate(
            f"{name}-template",
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": plan.hop_limit,
            },
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name=device,
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_type="gp3",
                        volume_size=size,
                        encrypted="true",
                        kms_key_id=checked(args["disk_kms_key_arn"], key_arn, "disk_kms_key_arn")
                        if "disk_kms_key_arn" in args
                        else None,
                        delete_on_termination="true",
                    ),
                )
                for device, size in plan.volumes.items()
            ],
            # EKS's own tags reach the instances; those of the stack reach them, and their disks, only from here.
            tag_specifications=[
                {"resource_type": kind, "tags": {"Name": name, **tags}}
                for kind in ("instance", "volume", "network-interface")
            ],
            tags=tags,
            opts=child_options(
                self,
                hooks=warn_of_node_role(f"{name}-template", args["role_arn"], self) if "role_arn" in args else None,
            ),
        )

    def _group(  # noqa: PLR0913, PLR0917 - what differs from group to group
        self,
        name: str,
        args: NodeGroupArgs,
        plan: NodePlan,
        template: "aws.ec2.LaunchTemplate",
        subnet_ids: Input[list[str]],
        after: list[Resource],
    ) -> aws.eks.NodeGroup:
        return aws.eks.NodeGroup(
            name,
            cluster_name=args["cluster_name"],
            # A prefix and no name, so that a replacement can be there before the nodes that it replaces go.
            node_group_name_prefix=f"{name}-",
            node_role_arn=self.role_arn,
            subnet_ids=subnet_ids,
            ami_type=plan.ami_type,
            capacity_type=args.get("capacity_type", "ON_DEMAND"),
            instance_types=args["instance_types"],
            # A number that came over the wire as a float would name the version `1.0`.
            launch_template={
                "id": template.id,
                "version": template.latest_version.apply(lambda known: str(int(known))),
            },
            scaling_config={
                "min_size": plan.min_size,
                "desired_size": plan.desired_size,
                "max_size": plan.max_size,
            },
            update_config={
                "max_unavailable": plan.max_unavailable,
                "update_strategy": args.get("update_strategy", "DEFAULT"),
            },
            node_repair_config={"enabled": args.get("node_repair", True)},
            force_update_version=args.get("force_update", False),
            version=checked(args["version"], kubernetes_version, "version") if "version" in args else None,
            release_version=args.get("release_version"),
            labels=args.get("labels"),
            taints=[aws.eks.NodeGroupTaintArgs(**taint) for taint in plan.taints],
            tags={**args.get("tags", {}), **ownership_tags()},
            opts=child_options(
                self,
                depends_on=after,
                ignore_changes=["scalingConfig.desiredSize"] if args.get("autoscaled", False) else [],
            ),
        )


def _subnets(args: NodeGroupArgs, plan: NodePlan, place: int) -> Output[list[str]]:
    """The subnets of one group: the one of its zone, or all."""
    every: Output[list[str]] = Output.from_input(args["subnet_ids"]).apply(list)
    zones = plan.zones
    if zones is None or not args.get("per_zone", True):
        return every
    own: Output[list[str]] = every.apply(lambda known: own_subnet(known, place, zones))
    return own
