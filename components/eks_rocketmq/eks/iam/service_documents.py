"""IAM documents for what AWS's own services do in an account. Pure."""

from typing import Any

from eks_rocketmq.eks.iam.policy_documents import build_policy

CLUSTER_SERVICE = "eks.amazonaws.com"
NODE_SERVICE = "ec2.amazonaws.com"
FLOW_LOG_SERVICE = "vpc-flow-logs.amazonaws.com"
"""Service principals. They end in `.com` in every partition; EC2 alone has a name of its own in `aws-cn`."""


def get_service_principals(service: str, partition: str) -> str | list[str]:
    """The names under which a service takes a role in a partition.

    EC2 in China is `ec2.amazonaws.com.cn`, and AWS writes the other name there as well: a role for both fits either
    way.
    """
    return [service, f"{service}.cn"] if (service, partition) == (NODE_SERVICE, "aws-cn") else service


def build_service_trust_policy(service: str | list[str], *, sessions: bool = False, account: str | None = None) -> str:
    """The trust policy (JSON) of a role that a service of AWS takes.

    Args:
        service: its principal, or several of one service, see `principals`.
        sessions: whether it tags its sessions, as EKS does.
        account: the only account for which it may act; default: whichever it acts for.
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
    """The permission (JSON) to write into one log group and its streams."""
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
