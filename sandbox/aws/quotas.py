"""Service Quotas: the quotas of EBS that `volume_rules` enforces. The emulator lacks the service."""

import json
from typing import Any

from sandbox.aws.volume_rules import QUOTA_TIB

_CODES = {
    "gp2": "L-D18FCD1D",
    "gp3": "L-7A658B76",
    "io1": "L-FD252861",
    "io2": "L-09BD8365",
    "st1": "L-82ACEF56",
    "sc1": "L-17AF77E8",
    "standard": "L-9CF3C2EB",
}
TARGET = b"ServiceQuotasV20190624.ListServiceQuotas"


def answer(service_code: str) -> dict[str, Any]:
    """Return the answer of ListServiceQuotas. Every caller gets it: there is nothing secret in it."""
    listed = [
        {
            "ServiceCode": "ebs",
            "ServiceName": "Amazon Elastic Block Store (Amazon EBS)",
            "QuotaCode": code,
            "QuotaName": f"Storage for {kind} volumes, in TiB",
            "Value": float(QUOTA_TIB),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
        for kind, code in _CODES.items()
    ]
    return {"Quotas": listed if service_code == "ebs" else []}


async def respond(receive: Any, send: Any) -> None:  # noqa: ANN401 (callables of ASGI)
    """Read a request of ListServiceQuotas and answer it."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    text = json.dumps(answer(json.loads(body or b"{}").get("ServiceCode", ""))).encode()
    headers = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})
