"""What the deploy role may do beside all else for a stack that makes its own cluster. Pure: documents as data.

The stack marks with a tag whatever it makes. In EC2 the role makes only what carries the stack's mark from the start,
and changes and deletes only what carries it; everything else is told by its name.
"""

from ci_policies import PREFIX, Account, allow, write_within

from eks_rocketmq.eks.iam.policy_documents import Statement, build_policy

NEW_NETWORK, NEW_CLUSTER, FLOW_LOG_BOUNDARY = (
    f"{PREFIX}-{name}" for name in ("new-network", "new-cluster", "flow-log-boundary")
)

PROJECT = "eks-rocketmq"
OWNER = f"{PROJECT}/stack"
"""The tag with which every stack of the project marks what it makes; its value is `eks-rocketmq/<stack>`."""

SERVICE_POLICIES = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
)
"""What the stack attaches to the roles of cluster, nodes and pod network."""

FLOW_LOGS = "network-flow-logs-*"
"""Role and log group of the flow logs; Pulumi ends their names."""

# What is made by which verb. What it is made in or of, such as a subnet's VPC, has to be the stack's own already.
_CREATES = {
    "vpc": "CreateVpc",
    "internet-gateway": "CreateInternetGateway",
    "elastic-ip": "AllocateAddress",
    "launch-template": "CreateLaunchTemplate",
    "subnet": "CreateSubnet",
    "route-table": "CreateRouteTable",
    "natgateway": "CreateNatGateway",
    "vpc-endpoint": "CreateVpcEndpoint",
    "vpc-flow-log": "CreateFlowLogs",
}
_CHANGES = (
    *("AttachInternetGateway", "DetachInternetGateway", "DeleteInternetGateway"),
    *("AssociateRouteTable", "DisassociateRouteTable", "DeleteRouteTable"),
    *("CreateRoute", "ReplaceRoute", "DeleteRoute"),
    *("CreateSubnet", "ModifySubnetAttribute", "DeleteSubnet", "CreateRouteTable"),
    *("ModifyVpcAttribute", "DeleteVpc", "CreateFlowLogs", "DeleteFlowLogs"),
    *("CreateNatGateway", "DeleteNatGateway", "DisassociateAddress", "ReleaseAddress"),
    *("CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"),
    *("CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DeleteLaunchTemplate", "RunInstances"),
    *("RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "CreateTags", "DeleteTags"),
)


def new_network_policy(account: Account, stack: str) -> str:
    """Makes, changes and deletes what a stack has in EC2. A document of its own: IAM's are short."""
    return build_policy(_network(account, f"{PROJECT}/{stack}"))


def new_cluster_policy(account: Account, stack: str, key: str) -> str:
    """Makes, changes and deletes cluster, nodes, roles and logs of a stack.

    Args:
        account: with the cluster's name and the names of the stack's roles.
        stack: name of the stack.
        key: ARN of the key of the cluster's secrets.
    """
    return build_policy([*_cluster(account, f"{PROJECT}/{stack}", key), *_roles(account)])


def flow_log_boundary(account: Account) -> str:
    """The most that the role of the flow logs can do: write into their group."""
    actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return build_policy(
        [
            allow("Look", ["logs:DescribeLogGroups"], "*"),
            allow("Write", actions, account.arn("logs", f"log-group:{FLOW_LOGS}")),
        ]
    )


def _network(account: Account, owner: str) -> list[Statement]:
    asked, marked = {f"aws:RequestTag/{OWNER}": owner}, {f"aws:ResourceTag/{OWNER}": owner}

    def ec2(*kinds: str) -> list[str]:
        return [account.arn("ec2", f"{kind}/*") for kind in kinds]

    return [
        *(allow(verb, [f"ec2:{verb}"], *ec2(kind), StringEquals=asked) for kind, verb in _CREATES.items()),
        allow("ChangeOwn", [f"ec2:{action}" for action in _CHANGES], *ec2("*"), StringEquals=marked),
        # Whatever exists without the mark gets none: it would be the stack's own from then on.
        allow(
            "MarkWhatIsMade",
            ["ec2:CreateTags"],
            *ec2("*"),
            StringEquals={**asked, "ec2:CreateAction": [*_CREATES.values(), "RunInstances"]},
        ),
        # But for the group that comes with a VPC. Of a group the role can only take rules out.
        allow("MarkTheDefaultGroup", ["ec2:CreateTags"], *ec2("security-group"), StringEquals=asked),
        # EKS tries in the caller's name whether nodes would start. The template itself has to be the stack's own.
        allow(
            "RunNodes",
            ["ec2:RunInstances"],
            *ec2("instance", "network-interface", "security-group", "volume"),
            account.images_of_instances,
            ArnLike={"ec2:LaunchTemplate": ec2("launch-template")[0]},
        ),
        # The pod network may leave one behind, which holds up its subnet.
        allow(
            "InterfacesOfPods",
            ["ec2:DeleteNetworkInterface"],
            *ec2("network-interface"),
            StringEquals={"aws:ResourceTag/cluster.k8s.amazonaws.com/name": account.cluster},
        ),
    ]


def _cluster(account: Account, owner: str, key: str) -> list[Statement]:
    name = account.cluster
    groups = [f"/aws/eks/{name}/cluster", f"/aws/eks/{name}/cluster:*", FLOW_LOGS]
    tags = ["eks:TagResource", "eks:UntagResource"]
    return [
        # AWS asks about no name here. A cluster of another name is beyond the role once it is made.
        allow("MakeCluster", ["eks:CreateCluster"], "*", StringEquals={f"aws:RequestTag/{OWNER}": owner}),
        allow(
            "ChangeCluster",
            [
                *(f"eks:Create{each}" for each in ("AccessEntry", "Addon", "Nodegroup")),
                *("eks:UpdateClusterConfig", "eks:UpdateClusterVersion", "eks:DeleteCluster", *tags),
            ],
            account.arn("eks", f"cluster/{name}"),
        ),
        allow("Addons", ["eks:UpdateAddon", "eks:DeleteAddon", *tags], account.arn("eks", f"addon/{name}/*")),
        allow(
            "Nodes",
            ["eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion", "eks:DeleteNodegroup", *tags],
            account.arn("eks", f"nodegroup/{name}/*"),
        ),
        allow(
            "AccessEntries",
            [
                *(f"eks:{verb}AccessPolicy" for verb in ("Associate", "Disassociate")),
                *("eks:UpdateAccessEntry", "eks:DeleteAccessEntry", *tags),
            ],
            account.arn("eks", f"access-entry/{name}/*"),
        ),
        # In the caller's name EKS lets itself use the key.
        allow("KeyOfSecrets", ["kms:CreateGrant"], key),
        allow(
            "LogGroups",
            [
                *(
                    "logs:CreateLogGroup",
                    "logs:DeleteLogGroup",
                    "logs:PutRetentionPolicy",
                    "logs:DeleteRetentionPolicy",
                ),
                *("logs:TagResource", "logs:UntagResource"),
            ],
            *(account.arn("logs", f"log-group:{group}") for group in groups),
        ),
        # These ask about no group.
        allow("LogDelivery", ["logs:CreateLogDelivery", "logs:DeleteLogDelivery"], "*"),
    ]


def _roles(account: Account) -> list[Statement]:
    roles = [account.iam(f"role/{name}") for name in account.roles]
    managed = [f"arn:{account.partition}:iam::aws:policy/{each}" for each in SERVICE_POLICIES]
    services = ("eks.amazonaws.com", "eks-nodegroup.amazonaws.com")
    return [
        allow(
            "ServicePolicies",
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            *roles,
            ArnEquals={"iam:PolicyARN": managed},
        ),
        write_within("FlowLogsWithinTheirBoundary", account.iam(f"policy/{FLOW_LOG_BOUNDARY}"), *roles),
        allow(
            "GiveRolesToEc2",
            ["iam:PassRole"],
            *roles,
            StringEquals={
                "iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn", "vpc-flow-logs.amazonaws.com"]
            },
        ),
        allow(
            "RolesOfEks",
            ["iam:CreateServiceLinkedRole"],
            *(account.iam(f"role/aws-service-role/{service}/*") for service in services),
            StringEquals={"iam:AWSServiceName": list(services)},
        ),
    ]
