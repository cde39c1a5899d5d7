"""How long CloudWatch keeps logs. Pure."""

from eks_rocketmq.args.validation import whole_number

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days for which CloudWatch keeps logs. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"""


def retention(days: float, what: str) -> int:
    """Days for which a log group keeps its events.

    Raises:
        ValueError: naming `what`, the value and what CloudWatch accepts.
    """
    whole = whole_number(days, what)
    if whole not in RETENTIONS:
        nearest = min(RETENTIONS, key=lambda accepted: abs(accepted - whole))
        msg = f"{what} is {whole}; accepted are {', '.join(map(str, RETENTIONS))} days; {nearest} is the nearest"
        raise ValueError(msg)
    return whole
