"""Log of the calls of people and roles, as CloudTrail has it: `logs/aws-calls.jsonl` in the sandbox's folder.

Calls of the account's root are left out: the sandbox itself sends one every second.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "aws-calls.jsonl"


@dataclass(frozen=True)
class Call:
    """Call that was authorized or denied."""

    time: float
    access_key: str
    """Empty for an unsigned call, such as AssumeRoleWithWebIdentity."""
    action: str
    resource: str
    allowed: bool


def write(logs: Path, call: Call) -> None:
    """Append a call."""
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / FILE).open("a") as file:
        file.write(json.dumps(asdict(call)) + "\n")


def read(logs: Path, *, since: float = 0.0) -> list[Call]:
    """Return the calls since a time, in seconds since the epoch."""
    lines = (logs / FILE).read_text().splitlines() if (logs / FILE).exists() else []
    return [call for line in lines if (call := Call(**json.loads(line))).time >= since]
