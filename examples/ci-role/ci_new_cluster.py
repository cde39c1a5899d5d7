"""Further policies of the deploy role for a stack that creates its own cluster, as data. Pure.

The stack tags its resources. In EC2, the role can create only resources with this tag, and change and delete only
those. In other services, the policies name the resources.
"""

from ci_policies import PREFIX, Account, allow, write_within

from eks_rocketmq.eks.iam.policy_documents import Statement, build_policy

NEW_NETWORK, NEW_CLUSTER, FLOW_LOG_BOUNDARY = (
    f"{PREFIX}-{name}" for name in ("new-network", "new-cluster", "flow-log-boundary")
)

PROJECT = "eks-rocketmq"
OWNER = f"{PROJECT}/stack"
"""Tag of the resources of each stack of the project. Its value is `eks-rocketmq/<stack>`."""

SERVICE_POLICIES = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
)
"""Policies of the roles of cluster, nodes and pod network."""

FLOW_LOGS = "network-flow-logs-*"
"""Names of the role and the log group of the flow logs. Pulumi adds a suffix."""

# Create action by resource type. The parent resource, such as a subnet's VPC, must have the tag of the stack.
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
    """Return the policy for the resources of a stack in EC2. IAM limits the size of a policy, so it is separate."""
    return build_policy(_network(account, f"{PROJECT}/{stack}"))


def new_cluster_policy(account: Account, stack: str, key: str) -> str:
    """Return the policy for cluster, nodes, roles and logs of a stack.

    Args:
        account: account with the name of the cluster and the names of the stack's roles.
        stack: name of the stack.
        key: ARN of the key of the cluster's Secrets.
    """
    return build_policy([*_cluster(account, f"{PROJECT}/{stack}", key), *_roles(account)])


def flow_log_boundary(account: Account) -> str:
    """Return the permissions boundary of the role of the flow logs: write into their log group."""
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
        # Existing resources cannot be tagged. The role could change them otherwise.
        allow(
            "MarkWhatIsMade",
            ["ec2:CreateTags"],
            *ec2("*"),
            StringEquals={**asked, "ec2:CreateAction": [*_CREATES.values(), "RunInstances"]},
        ),
        # Exception: the default security group of a VPC. The role can only remove rules of a group.
        allow("MarkTheDefaultGroup", ["ec2:CreateTags"], *ec2("security-group"), StringEquals=asked),
        # EKS tests with the caller's permissions whether nodes can start. The launch template must have the tag.
        allow(
            "RunNodes",
            ["ec2:RunInstances"],
            *ec2("instance", "network-interface", "security-group", "volume"),
            account.images_of_instances,
            ArnLike={"ec2:LaunchTemplate": ec2("launch-template")[0]},
        ),
        # The pod network can leave an interface behind, which blocks the deletion of its subnet.
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
        # AWS does not limit CreateCluster by name. The role cannot change a cluster of another name.
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
        # EKS creates a grant on the key with the caller's permissions.
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
        # These actions cannot be limited to a log group.
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
