"""IAM documents for what AWS's own services do in an account. Pure."""

import json
from typing import Any

CLUSTER_SERVICE = "eks.amazonaws.com"
NODE_SERVICE = "ec2.amazonaws.com"
FLOW_LOG_SERVICE = "vpc-flow-logs.amazonaws.com"
"""Service principals. They end in `.com` in every partition, `aws-cn` included."""


def service_trust_policy(service: str, *, sessions: bool = False, account: str | None = None) -> str:
    """The trust policy (JSON) of a role that a service of AWS takes.

    Args:
        service: its principal.
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
    return _document(statement)


def flow_log_policy(log_group_arn: str) -> str:
    """The permission (JSON) to write into one log group and its streams."""
    return _document(
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
    )


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
