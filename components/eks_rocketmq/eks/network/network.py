"""The network of a new cluster."""

from typing import TYPE_CHECKING

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOptions, Output, Resource, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.aws_identifiers import policy_arn
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
from eks_rocketmq.lookups.create_checks import ownership_tags
from eks_rocketmq.pulumi_sdk.component import after, checked, child_options, type_token
from eks_rocketmq.pulumi_sdk.documentation import documented

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY_IPV4 = "0.0.0.0/0"
S3 = "s3"


@documented
class Network(ComponentResource):
    """A VPC with a private and a public subnet in each zone, a way out, and logs of what flows.

    Private subnets are given out only once their routes and endpoints exist, so a node that starts in one finds its
    images. A network that AWS would refuse, or whose subnets do not fit, is refused with a ValueError at preview.
    """

    vpc_id: Output[str]
    """Id of the VPC."""
    cidr_block: Output[str]
    """IPv4 block of the VPC."""
    zones: Output[list[str]]
    """Names of the zones, in the order of the subnets."""
    private_subnet_ids: Output[list[str]]
    """Ids of the private subnets, one for each zone, for control plane and nodes."""
    public_subnet_ids: Output[list[str]]
    """Ids of the public subnets, one for each zone."""
    nat_addresses: Output[list[str]]
    """Public addresses from which the private subnets reach the internet, for the allow-lists of others."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("Network"), name, {}, opts)
        validate_args(args, NetworkArgs)
        plan = plan_network(args)
        zones = self._select_zones(args, len(plan.private))
        services = self._find_endpoint_services(plan, s3=args.get("s3_endpoint", True))
        self._common_tags = {**args.get("tags", {}), **ownership_tags()}

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=str(plan.vpc),
            enable_dns_support=True,
            # Interface endpoints and the private endpoint of EKS are found by name only with both.
            enable_dns_hostnames=True,
            tags=self._build_tags("vpc"),
            opts=child_options(self),
        )
        # The group that everything without one falls into: with no rule in it, nothing is open by accident.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default-security-group", vpc_id=vpc.id, tags=self._build_tags("default"), opts=child_options(self)
        )
        public = self._create_subnets(vpc, "public", zones, plan.public, args)
        private = self._create_subnets(vpc, "private", zones, plan.private, args)
        gateway, public_ways = self._create_public_routes(vpc, public)
        nats, addresses = self._create_nat_gateways(plan, public, gateway)
        tables, private_ways = self._create_private_routes(vpc, private, nats)
        endpoints = self._create_endpoints(vpc, private, tables, services)
        if plan.flow_log_days:
            boundary = args.get("permissions_boundary")
            known = None if boundary is None else checked(boundary, policy_arn, "permissions_boundary")
            self._create_flow_logs(vpc, plan.flow_log_days, known)

        self.vpc_id, self.cidr_block = vpc.id, vpc.cidr_block
        self.zones = Output.all(*[subnet.availability_zone for subnet in private])
        # A node that starts in a subnet needs its routes and endpoints.
        self.private_subnet_ids = after(Output.all(*[subnet.id for subnet in private]), [*private_ways, *endpoints])
        self.public_subnet_ids = after(Output.all(*[subnet.id for subnet in public]), public_ways)
        self.nat_addresses = Output.all(*[address.public_ip for address in addresses])
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "cidrBlock": self.cidr_block,
                "zones": self.zones,
                "privateSubnetIds": self.private_subnet_ids,
                "publicSubnetIds": self.public_subnet_ids,
                "natAddresses": self.nat_addresses,
            }
        )

    def _child_name(self, part: str) -> str:
        return f"{self.pulumi_resource_name}-{part}"

    def _build_tags(self, part: str, extra: "dict[str, str] | None" = None) -> dict[str, Input[str]]:
        return {"Name": self._child_name(part), **(extra or {}), **self._common_tags}

    def _select_zones(self, args: NetworkArgs, count: int) -> list[str]:
        # The plain call: how many subnets there are must be known before the first one.
        lookup = format_call("aws:index/getAvailabilityZones:getAvailabilityZones", state="available")
        found = invoke_function(
            lambda: aws.get_availability_zones(
                state="available",
                # Local and wavelength zones are opt-in and carry no control plane.
                filters=[
                    {"name": "opt-in-status", "values": ["opt-in-not-required"]},
                    {"name": "zone-type", "values": ["availability-zone"]},
                ],
                opts=InvokeOptions(parent=self),
            ),
            lookup,
            "the availability zones of the region cannot be read",
            "names",
            "zone_ids",
        )
        require_fields(found, lookup, *[f"zone_ids.{place}" for place in range(len(found.names))])
        return select_zones(dict(zip(found.names, found.zone_ids, strict=False)), args.get("zones"), count)

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
        role, extra = (
            ("elb", args.get("public_subnet_tags", {}))
            if kind == "public"
            else ("internal-elb", args.get("private_subnet_tags", {}))
        )
        tags = build_subnet_tags(role, args.get("cluster_name"), extra)
        return [
            aws.ec2.Subnet(
                self._child_name(f"{kind}-{place}"),
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=str(block),
                # Public addresses are for NAT gateways and load balancers, which ask for them themselves.
                map_public_ip_on_launch=False,
                tags=self._build_tags(f"{kind}-{place}", tags),
                opts=child_options(self, ignore_changes=ignored),
            )
            for place, (zone, block) in enumerate(zip(zones, blocks, strict=True), start=1)
        ]

    def _create_public_routes(
        self, vpc: "aws.ec2.Vpc", subnets: "list[aws.ec2.Subnet]"
    ) -> "tuple[aws.ec2.InternetGateway, list[Resource]]":
        gateway = aws.ec2.InternetGateway(
            self._child_name("gateway"), vpc_id=vpc.id, tags=self._build_tags("gateway"), opts=child_options(self)
        )
        table = self._create_route_table(vpc, "public")
        out = self._create_route("public", table, gateway_id=gateway.id)
        return gateway, [out, *self._associate_tables("public", subnets, [table])]

    def _create_nat_gateways(
        self, plan: NetworkPlan, public: "list[aws.ec2.Subnet]", gateway: "aws.ec2.InternetGateway"
    ) -> "tuple[list[aws.ec2.NatGateway], list[aws.ec2.Eip]]":
        # AWS gives an address to a VPC, and a NAT gateway its way out, only while an internet gateway is attached.
        opts = child_options(self, depends_on=[gateway])
        addresses = [
            aws.ec2.Eip(
                self._child_name(f"nat-{place}"), domain="vpc", tags=self._build_tags(f"nat-{place}"), opts=opts
            )
            for place in range(1, plan.nat_gateways + 1)
        ]
        gateways = [
            aws.ec2.NatGateway(
                self._child_name(f"nat-{place}"),
                allocation_id=address.id,
                subnet_id=subnet.id,
                tags=self._build_tags(f"nat-{place}"),
                opts=opts,
            )
            for place, (address, subnet) in enumerate(zip(addresses, public, strict=False), start=1)
        ]
        return gateways, addresses

    def _create_private_routes(
        self, vpc: "aws.ec2.Vpc", subnets: "list[aws.ec2.Subnet]", nats: "list[aws.ec2.NatGateway]"
    ) -> "tuple[list[aws.ec2.RouteTable], list[Resource]]":
        # A table for each zone, however many gateways there are: from one to one a zone is a change of a route.
        tables = [self._create_route_table(vpc, f"private-{place}") for place in range(1, len(subnets) + 1)]
        ways: list[Resource] = [
            self._create_route(f"private-{index + 1}", table, nat_gateway_id=nats[index % len(nats)].id)
            for index, table in enumerate(tables)
            if nats
        ]
        return tables, [*ways, *self._associate_tables("private", subnets, tables)]

    def _create_route_table(self, vpc: "aws.ec2.Vpc", part: str) -> "aws.ec2.RouteTable":
        return aws.ec2.RouteTable(
            self._child_name(part), vpc_id=vpc.id, tags=self._build_tags(part), opts=child_options(self)
        )

    def _create_route(self, part: str, table: "aws.ec2.RouteTable", **way: Output[str]) -> "aws.ec2.Route":
        return aws.ec2.Route(
            self._child_name(part),
            route_table_id=table.id,
            destination_cidr_block=ANY_IPV4,
            opts=child_options(self),
            **way,
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
        """Full name of the endpoint of each service, asked of the region: one that it lacks is refused at preview."""
        opts = InvokeOptions(parent=self)
        region = self._read_region(opts) if s3 or plan.interface_endpoints else ""
        # S3's gateway has the same name everywhere, and costs no question.
        found = {S3: f"com.amazonaws.{region}.s3"} if s3 else {}
        for service in plan.interface_endpoints:
            names = list_endpoint_names(service, region)
            lookup = format_call("aws:ec2/getVpcEndpointService:getVpcEndpointService", service_name=names)
            try:
                answer = aws.ec2.get_vpc_endpoint_service(
                    filters=[{"name": "service-name", "values": names}], service_type="Interface", opts=opts
                )
            except Exception as error:
                msg = (
                    f"interface_endpoints has {service!r}, for which {region} has no interface endpoint ({error}, "
                    f"from {lookup}); `aws ec2 describe-vpc-endpoint-services --query ServiceNames` shows those that "
                    "it has"
                )
                raise ValueError(msg) from error
            found[service] = str(require_fields(answer, lookup, "service_name").service_name)
        return found

    def _read_region(self, opts: InvokeOptions) -> str:
        lookup = format_call("aws:index/getRegion:getRegion")
        return invoke_function(lambda: aws.get_region(opts=opts), lookup, "the region cannot be read", "region").region

    def _create_endpoints(
        self,
        vpc: "aws.ec2.Vpc",
        subnets: "list[aws.ec2.Subnet]",
        tables: "list[aws.ec2.RouteTable]",
        services: dict[str, str],
    ) -> "list[Resource]":
        made: list[Resource] = []
        if S3 in services:
            made.append(
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
            return made
        group = aws.ec2.SecurityGroup(
            self._child_name("endpoints"),
            description="HTTPS from the VPC to its interface endpoints",
            vpc_id=vpc.id,
            ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [vpc.cidr_block]}],
            tags=self._build_tags("endpoints"),
            opts=child_options(self),
        )
        return made + [
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
        # Its name is automatic, as is the role's: a VPC of the same name may stand in another account or region.
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
            # The service writes with the role's policy and gives up on a group into which it may not write.
            opts=child_options(self, depends_on=[policy]),
        )
