"""Updates of clusters and node groups: here they are over at once, and are kept to be asked for."""

import uuid
from typing import Any

from sandbox.aws.emulator import Response, eks


def started(record: dict[str, Any], kind: str, params: dict[str, str]) -> Response:
    """The answer to a change that was made: its update, also kept with the record."""
    update = {
        "id": str(uuid.uuid4()),
        "type": kind,
        "status": "Successful",
        "createdAt": eks._now(),
        "params": [{"type": name, "value": value} for name, value in params.items()],
        "errors": [],
    }
    record.setdefault("_updates", {})[update["id"]] = update
    # Whoever started it sees it begin.
    return eks._json_resp(200, {"update": {**update, "status": "InProgress"}})


def described(record: dict[str, Any], update_id: str) -> Response:
    """DescribeUpdate."""
    found = record.get("_updates", {}).get(update_id)
    if found is None:
        return eks._error(404, "ResourceNotFoundException", f"No update found for ID: {update_id}")
    return eks._json_resp(200, {"update": found})
