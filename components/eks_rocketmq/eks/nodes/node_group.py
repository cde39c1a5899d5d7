"""Managed node groups of a cluster."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pulumi_aws as aws
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn, parse_role_arn, validate_kubernetes_version
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields
from eks_rocketmq.eks.iam.service_documents import NODE_SERVICE
from eks_rocketmq.eks.iam.service_role import create_service_role
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import NODE_POLICIES, NodePlan, plan_nodes, select_subnet
from eks_rocketmq.eks.nodes.node_role_check import warn_about_node_role
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    child_options,
    collect_outputs,
    type_token,
    validate_input,
    validate_optional_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented


@documented
class NodeGroup(ComponentResource):
    """Managed node groups, one for each zone, with a common launch template.

    The metadata service requires tokens (IMDSv2), disks are encrypted, and there is no SSH access. Nodes need a pod
    network to become ready, so let this component depend on the `ClusterAddons` of the stage `before_nodes`.

    Arguments that EKS would reject are rejected. An invalid value raises a ValueError at preview, or a RunError as soon
    as it is known if it is an output.
    """

    role_arn: Output[str]
    """ARN of the node role."""
    group_names: Output[list[str]]
    """Names of the groups in EKS, in the order of the subnets."""
    launch_template_id: Output[str]
    """ID of the launch template."""

    def __init__(self, name: str, args: NodeGroupArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("NodeGroup"), name, {}, opts)
        validate_args(args, NodeGroupArgs)
        plan = get_plan(args, partial(plan_nodes, name))
        policies: list[Resource] = []
        if "role_arn" in args:
            self.role_arn = Output.from_input(validate_input(args["role_arn"], parse_role_arn, ARGS / "role_arn"))
        else:
            role, policies[:] = create_service_role(
                self,
                name,
                service=NODE_SERVICE,
                policies=[*NODE_POLICIES, *args.get("managed_policies", [])],
                tags=args.get("tags", {}),
            )
            self.role_arn = role.arn
        template = self._create_launch_template(name, args, plan)
        groups: list[aws.eks.NodeGroup] = []
        for index in range(plan.groups):
            # Nodes need the policies to join, and EKS needs them to delete network interfaces at the end.
            dependencies: list[Resource] = list(policies)
            if args.get("zone_by_zone", True):
                # Two zones updated at once evict two members of a broker group, and the disruption budget blocks both.
                dependencies += groups[-1:]
            groups.append(
                self._create_group(
                    f"{name}-{index + 1}", args, plan, template, _select_subnets(args, plan, index), dependencies
                )
            )
        self.group_names = Output.all(*[group.node_group_name for group in groups])
        self.launch_template_id = template.id
        self.register_outputs(collect_outputs(self, NodeGroup))

    def _create_launch_template(self, name: str, args: NodeGroupArgs, plan: NodePlan) -> "aws.ec2.LaunchTemplate":
        tags = {**args.get("tags", {}), **get_ownership_tags()}
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
                        kms_key_id=validate_optional_input(args, "disk_kms_key_arn", parse_kms_key_arn),
                        delete_on_termination="true",
                    ),
                )
                for device, size in plan.volumes.items()
            ],
            # EKS adds only its own tags to instances. The stack's tags reach instances and disks only from here.
            tag_specifications=[
                {"resource_type": kind, "tags": {"Name": name, **tags}}
                for kind in ("instance", "volume", "network-interface")
            ],
            tags=tags,
            opts=child_options(
                self,
                hooks=warn_about_node_role(f"{name}-template", args["role_arn"], self) if "role_arn" in args else None,
            ),
        )

    def _create_group(  # noqa: PLR0913, PLR0917 - they differ between groups
        self,
        name: str,
        args: NodeGroupArgs,
        plan: NodePlan,
        template: "aws.ec2.LaunchTemplate",
        subnet_ids: Input[list[str]],
        dependencies: list[Resource],
    ) -> aws.eks.NodeGroup:
        return aws.eks.NodeGroup(
            name,
            cluster_name=args["cluster_name"],
            # With a prefix instead of a name, a replacement can exist before the old nodes are deleted.
            node_group_name_prefix=f"{name}-",
            node_role_arn=self.role_arn,
            subnet_ids=subnet_ids,
            ami_type=plan.ami_type,
            capacity_type=args.get("capacity_type", "ON_DEMAND"),
            instance_types=args["instance_types"],
            # The engine may send the number as a float, which would give the version `1.0`.
            launch_template={
                "id": template.id,
                "version": _require_latest_version(template).apply(lambda known: str(int(known))),
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
            version=validate_optional_input(args, "version", validate_kubernetes_version),
            release_version=args.get("release_version"),
            labels=args.get("labels"),
            taints=[aws.eks.NodeGroupTaintArgs(**taint) for taint in plan.taints],
            tags={**args.get("tags", {}), **get_ownership_tags()},
            opts=child_options(
                self,
                depends_on=dependencies,
                ignore_changes=["scalingConfig.desiredSize"] if args.get("autoscaled", False) else [],
            ),
        )


def _require_latest_version(template: "aws.ec2.LaunchTemplate") -> Output[float]:
    """Return the version of a launch template. Mocks may have none, and the error names the resource."""
    outputs: Output[dict[str, float]] = Output.all(latest_version=template.latest_version)
    call = format_call("aws:ec2/launchTemplate:LaunchTemplate")
    return require_output_fields(outputs, call, "latest_version")["latest_version"]


def _select_subnets(args: NodeGroupArgs, plan: NodePlan, index: int) -> Output[list[str]]:
    """Return the subnets of one group: that of its zone, or all."""
    zones = plan.zones if args.get("per_zone", True) else None

    def select(known: Sequence[str]) -> list[str]:
        return list(known) if zones is None else select_subnet(known, index, zones)

    subnets: Output[Any] = Output.from_input(args["subnet_ids"])
    return apply_redacted(subnets, select, ARGS / "subnet_ids", Sequence[str])
