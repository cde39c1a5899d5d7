"""Updates of clusters and node groups. They end at once and are kept for DescribeUpdate."""

import uuid
from typing import Any

from sandbox.aws.emulator import Response, eks
from sandbox.aws.refusal import not_found


def start(record: dict[str, Any], kind: str, params: dict[str, str]) -> Response:
    """Record an update of a change, and return the answer to the change."""
    update = {
        "id": str(uuid.uuid4()),
        "type": kind,
        "status": "Successful",
        "createdAt": eks._now(),
        "params": [{"type": name, "value": value} for name, value in params.items()],
        "errors": [],
    }
    record.setdefault("_updates", {})[update["id"]] = update
    # The caller of the change sees it in progress.
    return eks._json_resp(200, {"update": {**update, "status": "InProgress"}})


def describe(record: dict[str, Any], update_id: str) -> Response:
    """DescribeUpdate."""
    found = record.get("_updates", {}).get(update_id)
    if found is None:
        raise not_found(f"No update found for ID: {update_id}")
    return eks._json_resp(200, {"update": found})
