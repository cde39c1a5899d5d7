"""How long CloudWatch keeps logs. Pure."""

from eks_rocketmq.args.validation import parse_whole_number

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""Days for which CloudWatch keeps logs. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"""


def validate_retention(days: float, what: str) -> int:
    """Days for which a log group keeps its events.

    Raises:
        ValueError: naming `what`, the value and what CloudWatch accepts.
    """
    whole = parse_whole_number(days, what)
    if whole not in RETENTION_DAYS:
        nearest = min(RETENTION_DAYS, key=lambda accepted: abs(accepted - whole))
        msg = f"{what} is {whole}; accepted are {', '.join(map(str, RETENTION_DAYS))} days; {nearest} is the nearest"
        raise ValueError(msg)
    return whole
