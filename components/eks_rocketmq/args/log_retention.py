"""Retention of CloudWatch log groups. Pure."""

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import parse_whole_number

RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Accepted retention in days. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"""


def validate_retention(days: float, path: ArgumentPath) -> int:
    """Return the retention of a log group, in days. The error lists the accepted values and the nearest one."""
    whole = parse_whole_number(days, path)
    if whole not in RETENTION_DAYS:
        nearest = min(RETENTION_DAYS, key=lambda accepted: abs(accepted - whole))
        raise ArgumentError(
            path,
            "log-retention",
            "CloudWatch does not accept {given} days",
            accepted="{choices} days",
            remedy="The nearest is {nearest}",
            given=whole,
            choices=", ".join(map(str, RETENTION_DAYS)),
            nearest=nearest,
        )
    return whole
