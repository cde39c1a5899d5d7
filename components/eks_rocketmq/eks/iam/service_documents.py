"""IAM policy documents for AWS services. Pure."""

from typing import Any

from eks_rocketmq.eks.iam.policy_documents import build_policy

CLUSTER_SERVICE = "eks.amazonaws.com"
NODE_SERVICE = "ec2.amazonaws.com"
FLOW_LOG_SERVICE = "vpc-flow-logs.amazonaws.com"
"""Service principals. They end in `.com` in every partition. Only EC2 has another name in `aws-cn`."""


def get_service_principals(service: str, partition: str) -> str | list[str]:
    """Return the principals of a service in a partition.

    In China, EC2 is `ec2.amazonaws.com.cn`, and AWS documentation also uses `ec2.amazonaws.com`. The role therefore
    trusts both.
    """
    return [service, f"{service}.cn"] if (service, partition) == (NODE_SERVICE, "aws-cn") else service


def build_service_trust_policy(service: str | list[str], *, sessions: bool = False, account: str | None = None) -> str:
    """Return the trust policy (JSON) of a role that an AWS service assumes.

    Args:
        service: principal of the service, or several, see `get_service_principals`.
        sessions: whether the service tags its sessions, as EKS does.
        account: the only account for which the service may assume the role; default: any.
    """
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["sts:AssumeRole", "sts:TagSession"] if sessions else "sts:AssumeRole",
    }
    if account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return build_policy([statement])


def build_flow_log_policy(log_group_arn: str) -> str:
    """Return the policy (JSON) to write to one log group and its streams."""
    return build_policy(
        [
            {
                "Effect": "Allow",
                "Action": [
                    "logs:CreateLogStream",
                    "logs:DescribeLogGroups",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                "Resource": [log_group_arn, f"{log_group_arn}:*"],
            }
        ]
    )
