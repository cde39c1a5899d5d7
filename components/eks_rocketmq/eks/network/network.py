"""VPC of a new cluster."""

from typing import TYPE_CHECKING

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOptions, Output, Resource, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_policy_arn
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.kubernetes_names import ANY_IPV4
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.account import aws_account
from eks_rocketmq.eks.account.provider_functions import format_call, invoke_function, require_fields
from eks_rocketmq.eks.iam.service_documents import FLOW_LOG_SERVICE, build_flow_log_policy, build_service_trust_policy
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.network.network_plan import (
    NetworkPlan,
    build_subnet_tags,
    list_endpoint_names,
    plan_network,
    select_zones,
)
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    child_options,
    collect_outputs,
    defer,
    type_token,
    validate_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented

if TYPE_CHECKING:
    from collections.abc import Sequence

S3 = "s3"


@documented
class Network(ComponentResource):
    """A VPC with private and public subnets in each zone, NAT gateways, endpoints and flow logs.

    The output of the private subnets depends on their routes and endpoints, so that new nodes can pull their images.

    A network that AWS would reject, and subnets that do not fit into the VPC, are rejected. An invalid value raises a
    ValueError at preview, or a RunError as soon as it is known if it is an output.
    """

    vpc_id: Output[str]
    """ID of the VPC."""
    cidr_block: Output[str]
    """IPv4 CIDR block of the VPC."""
    zones: Output[list[str]]
    """Names of the zones, in the order of the subnets."""
    private_subnet_ids: Output[list[str]]
    """IDs of the private subnets, one for each zone, for control plane and nodes."""
    public_subnet_ids: Output[list[str]]
    """IDs of the public subnets, one for each zone."""
    nat_addresses: Output[list[str]]
    """Public addresses of the NAT gateways, from which private subnets reach the internet; for allow lists."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("Network"), name, {}, opts)
        validate_args(args, NetworkArgs)
        plan = get_plan(args, plan_network)
        zones = self._select_zones(args, len(plan.private))
        services = self._find_endpoint_services(plan, s3=args.get("s3_endpoint", True))
        self._common_tags = {**args.get("tags", {}), **get_ownership_tags()}

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=str(plan.vpc),
            enable_dns_support=True,
            # The DNS names of interface endpoints and of the private EKS endpoint need both options.
            enable_dns_hostnames=True,
            tags=self._build_tags("vpc"),
            # False would override the `protect` that the component inherits.
            opts=child_options(self, protect=args.get("deletion_protection", True) or None),
        )
        # Resources without a security group get this one. Without rules, it opens nothing by accident.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default-security-group", vpc_id=vpc.id, tags=self._build_tags("default"), opts=child_options(self)
        )
        public = self._create_subnets(vpc, "public", zones, plan.public, args)
        private = self._create_subnets(vpc, "private", zones, plan.private, args)
        gateway, public_routes = self._create_public_routes(vpc, public)
        nats, addresses = self._create_nat_gateways(plan, public, gateway)
        tables, private_routes = self._create_private_routes(vpc, private, nats)
        endpoints = self._create_endpoints(vpc, private, tables, services)
        if plan.flow_log_days:
            boundary = args.get("permissions_boundary")
            if boundary is not None:
                boundary = validate_input(boundary, parse_policy_arn, ARGS / "permissions_boundary")
            self._create_flow_logs(vpc, plan.flow_log_days, boundary)

        self.vpc_id, self.cidr_block = vpc.id, vpc.cidr_block
        self.zones = Output.all(*[subnet.availability_zone for subnet in private])
        # A node that starts in a subnet needs its routes and endpoints.
        self.private_subnet_ids = defer(Output.all(*[subnet.id for subnet in private]), [*private_routes, *endpoints])
        self.public_subnet_ids = defer(Output.all(*[subnet.id for subnet in public]), public_routes)
        self.nat_addresses = Output.all(*[address.public_ip for address in addresses])
        self.register_outputs(collect_outputs(self, Network))

    def _child_name(self, part: str) -> str:
        return f"{self.pulumi_resource_name}-{part}"

    def _build_tags(self, part: str, extra: "dict[str, str] | None" = None) -> dict[str, Input[str]]:
        return {"Name": self._child_name(part), **(extra or {}), **self._common_tags}

    def _select_zones(self, args: NetworkArgs, count: int) -> list[str]:
        # The direct form of the function: the number of subnets must be known at preview.
        function_call = format_call("aws:index/getAvailabilityZones:getAvailabilityZones", state="available")
        result = invoke_function(
            lambda: aws.get_availability_zones(
                state="available",
                # Local Zones and Wavelength Zones are opt-in and have no control planes.
                filters=[
                    {"name": "opt-in-status", "values": ["opt-in-not-required"]},
                    {"name": "zone-type", "values": ["availability-zone"]},
                ],
                opts=InvokeOptions(parent=self),
            ),
            function_call,
            "the availability zones of the region cannot be read",
            "names",
            "zone_ids",
        )
        require_fields(result, function_call, *[f"zone_ids.{index}" for index in range(len(result.names))])
        return select_zones(dict(zip(result.names, result.zone_ids, strict=False)), args.get("zones"), count)

    def _create_subnets(
        self,
        vpc: "aws.ec2.Vpc",
        kind: str,
        zones: "Sequence[str]",
        blocks: "Sequence[object]",
        args: NetworkArgs,
    ) -> "list[aws.ec2.Subnet]":
        # AWS's list of zones changes. A subnet with nodes must not move to another zone because of that.
        ignored = [] if "zones" in args else ["availabilityZone"]
        # The cluster and its nodes are in the private subnets. EKS does not move a cluster to another VPC.
        protect = (kind == "private" and args.get("deletion_protection", True)) or None
        role, extra = (
            ("elb", args.get("public_subnet_tags", {}))
            if kind == "public"
            else ("internal-elb", args.get("private_subnet_tags", {}))
        )
        tags = build_subnet_tags(role, args.get("cluster_name"), extra)
        return [
            aws.ec2.Subnet(
                self._child_name(f"{kind}-{index}"),
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=str(block),
                # Only NAT gateways and load balancers need public addresses, and they request them themselves.
                map_public_ip_on_launch=False,
                tags=self._build_tags(f"{kind}-{index}", tags),
                opts=child_options(self, ignore_changes=ignored, protect=protect),
            )
            for index, (zone, block) in enumerate(zip(zones, blocks, strict=True), start=1)
        ]

    def _create_public_routes(
        self, vpc: "aws.ec2.Vpc", subnets: "list[aws.ec2.Subnet]"
    ) -> "tuple[aws.ec2.InternetGateway, list[Resource]]":
        gateway = aws.ec2.InternetGateway(
            self._child_name("gateway"), vpc_id=vpc.id, tags=self._build_tags("gateway"), opts=child_options(self)
        )
        table = self._create_route_table(vpc, "public")
        route = self._create_route("public", table, gateway_id=gateway.id)
        return gateway, [route, *self._associate_tables("public", subnets, [table])]

    def _create_nat_gateways(
        self, plan: NetworkPlan, public: "list[aws.ec2.Subnet]", gateway: "aws.ec2.InternetGateway"
    ) -> "tuple[list[aws.ec2.NatGateway], list[aws.ec2.Eip]]":
        # Elastic IP addresses and NAT gateways need an attached internet gateway.
        opts = child_options(self, depends_on=[gateway])
        addresses = [
            aws.ec2.Eip(
                self._child_name(f"nat-{index}"), domain="vpc", tags=self._build_tags(f"nat-{index}"), opts=opts
            )
            for index in range(1, plan.nat_gateways + 1)
        ]
        gateways = [
            aws.ec2.NatGateway(
                self._child_name(f"nat-{index}"),
                allocation_id=address.id,
                subnet_id=subnet.id,
                tags=self._build_tags(f"nat-{index}"),
                opts=opts,
            )
            for index, (address, subnet) in enumerate(zip(addresses, public, strict=False), start=1)
        ]
        return gateways, addresses

    def _create_private_routes(
        self, vpc: "aws.ec2.Vpc", subnets: "list[aws.ec2.Subnet]", nats: "list[aws.ec2.NatGateway]"
    ) -> "tuple[list[aws.ec2.RouteTable], list[Resource]]":
        # Each zone has its own route table, so a change between one gateway and one per zone only updates a route.
        tables = [self._create_route_table(vpc, f"private-{index}") for index in range(1, len(subnets) + 1)]
        routes: list[Resource] = [
            self._create_route(f"private-{index + 1}", table, nat_gateway_id=nats[index % len(nats)].id)
            for index, table in enumerate(tables)
            if nats
        ]
        return tables, [*routes, *self._associate_tables("private", subnets, tables)]

    def _create_route_table(self, vpc: "aws.ec2.Vpc", part: str) -> "aws.ec2.RouteTable":
        return aws.ec2.RouteTable(
            self._child_name(part), vpc_id=vpc.id, tags=self._build_tags(part), opts=child_options(self)
        )

    def _create_route(self, part: str, table: "aws.ec2.RouteTable", **target: Output[str]) -> "aws.ec2.Route":
        return aws.ec2.Route(
            self._child_name(part),
            route_table_id=table.id,
            destination_cidr_block=ANY_IPV4,
            opts=child_options(self),
            **target,
        )

    def _associate_tables(
        self, kind: str, subnets: "list[aws.ec2.Subnet]", tables: "list[aws.ec2.RouteTable]"
    ) -> "list[Resource]":
        return [
            aws.ec2.RouteTableAssociation(
                self._child_name(f"{kind}-{index + 1}"),
                subnet_id=subnet.id,
                route_table_id=tables[index % len(tables)].id,
                opts=child_options(self),
            )
            for index, subnet in enumerate(subnets)
        ]

    def _find_endpoint_services(self, plan: NetworkPlan, *, s3: bool) -> dict[str, str]:
        """Return the full name of each service's endpoint.

        Raise ValueError, at preview, for a service that has no interface endpoint in the region.
        """
        opts = InvokeOptions(parent=self)
        region = self._read_region(opts) if s3 or plan.interface_endpoints else ""
        # The gateway endpoint of S3 has the same name format in all regions, so it needs no lookup.
        services = {S3: f"com.amazonaws.{region}.s3"} if s3 else {}
        for service in plan.interface_endpoints:
            names = list_endpoint_names(service, region)
            function_call = format_call("aws:ec2/getVpcEndpointService:getVpcEndpointService", service_name=names)
            try:
                result = aws.ec2.get_vpc_endpoint_service(
                    filters=[{"name": "service-name", "values": names}], service_type="Interface", opts=opts
                )
            except Exception as error:
                raise ArgumentError(
                    ARGS / "interface_endpoints",
                    "no-interface-endpoint",
                    "{region} has no interface endpoint for {given!r} ({error}, from {call})",
                    remedy="Run `aws ec2 describe-vpc-endpoint-services --query ServiceNames` to list its endpoints",
                    region=region,
                    given=service,
                    error=error,
                    call=function_call,
                ) from error
            services[service] = str(require_fields(result, function_call, "service_name").service_name)
        return services

    def _read_region(self, opts: InvokeOptions) -> str:
        function_call = format_call("aws:index/getRegion:getRegion")
        return invoke_function(
            lambda: aws.get_region(opts=opts), function_call, "the region cannot be read", "region"
        ).region

    def _create_endpoints(
        self,
        vpc: "aws.ec2.Vpc",
        subnets: "list[aws.ec2.Subnet]",
        tables: "list[aws.ec2.RouteTable]",
        services: dict[str, str],
    ) -> "list[Resource]":
        endpoints: list[Resource] = []
        if S3 in services:
            endpoints.append(
                aws.ec2.VpcEndpoint(
                    self._child_name(S3),
                    vpc_id=vpc.id,
                    service_name=services[S3],
                    vpc_endpoint_type="Gateway",
                    route_table_ids=[table.id for table in tables],
                    tags=self._build_tags(S3),
                    opts=child_options(self),
                )
            )
        interfaces = {service: name for service, name in services.items() if service != S3}
        if not interfaces:
            return endpoints
        group = aws.ec2.SecurityGroup(
            self._child_name("endpoints"),
            description="HTTPS from the VPC to its interface endpoints",
            vpc_id=vpc.id,
            ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [vpc.cidr_block]}],
            tags=self._build_tags("endpoints"),
            opts=child_options(self),
        )
        return endpoints + [
            aws.ec2.VpcEndpoint(
                self._child_name(service.replace(".", "-")),
                vpc_id=vpc.id,
                service_name=name,
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in subnets],
                security_group_ids=[group.id],
                tags=self._build_tags(service),
                opts=child_options(self),
            )
            for service, name in interfaces.items()
        ]

    def _create_flow_logs(self, vpc: "aws.ec2.Vpc", days: int, boundary: "Input[str] | None") -> None:
        name, tags = self._child_name("flow-logs"), self._build_tags("flow-logs")
        # Pulumi generates the names of log group and role, because another region may have a VPC of the same name.
        group = aws.cloudwatch.LogGroup(
            name,
            retention_in_days=days,
            tags=tags,
            opts=child_options(self),
        )
        role = aws.iam.Role(
            name,
            assume_role_policy=aws_account.get_account_id(self).apply(
                lambda known: build_service_trust_policy(FLOW_LOG_SERVICE, account=known)
            ),
            permissions_boundary=boundary,
            tags=tags,
            opts=child_options(self),
        )
        policy = aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=group.arn.apply(build_flow_log_policy),
            opts=child_options(self),
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags=tags,
            # The service writes with the role's policy, and stops if it has no access to the log group.
            opts=child_options(self, depends_on=[policy]),
        )
