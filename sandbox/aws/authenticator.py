"""Webhook of the API server for the tokens of `aws eks get-token`, and for other reviews of EKS.

It sends the presigned request to the sandbox's STS with the cluster's name as signed header, and looks up the returned
ARN in the cluster's access entries. The log has a line with the reason of each refusal.
"""

import argparse
import datetime as dt
import functools
import json
import logging
import ssl
from dataclasses import dataclass, field
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener
from xml.etree import ElementTree

import boto3
from botocore.exceptions import ClientError

from sandbox import layout
from sandbox.aws import pod_identity_webhook
from sandbox.aws.authorizer import Authorizer
from sandbox.aws.presigned import CLUSTER_HEADER, PREFIX, PresignedIdentity, TokenError, decode
from sandbox.aws.seed import CLUSTER_ADMINISTRATOR

_LOG = logging.getLogger("authenticator")
_STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_LARGEST_REVIEW = 1 << 20
# Never use a proxy for loopback.
_DIRECT = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Caller:
    """Identity that STS returns. `user_id` is AWS's unique id."""

    arn: str
    user_id: str
    account: str

    @property
    def principal(self) -> str:
        """ARN of the access entry. For an assumed role, the ARN of the role."""
        kind, _, rest = self.arn.rpartition(":")[2].partition("/")
        if kind != "assumed-role":
            return self.arn
        return f"arn:aws:iam::{self.account}:role/{rest.split('/')[0]}"


@dataclass
class Authenticator:
    """Authenticator of one cluster. `endpoint` is that of the AWS APIs."""

    cluster: str
    endpoint: str
    eks: Any = field(init=False)

    def __post_init__(self) -> None:
        self.eks = boto3.client("eks", region_name=layout.REGION, endpoint_url=self.endpoint)

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that a token may name: STS of this region and the sandbox's endpoint."""
        return frozenset({f"sts.{layout.REGION}.amazonaws.com", urlsplit(self.endpoint).netloc})

    def review(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a TokenReview. Its status has the user, or none."""
        token = str(request.get("spec", {}).get("token", ""))
        try:
            # The API server's own authenticators handle other tokens.
            status = {"authenticated": False} if not token.startswith(PREFIX) else self._authenticated(token)
        except TokenError as unacceptable:
            _LOG.warning("refused a token: %s", unacceptable)
            status = {"authenticated": False, "error": str(unacceptable)}
        return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}

    def _authenticated(self, token: str) -> dict[str, Any]:
        caller = self._perform(decode(token, self.hosts, dt.datetime.now(dt.UTC)))
        try:
            entry = self.eks.describe_access_entry(clusterName=self.cluster, principalArn=caller.principal)
            policies = self.eks.list_associated_access_policies(
                clusterName=self.cluster, principalArn=caller.principal
            )["associatedAccessPolicies"]
        except ClientError as error:
            raise TokenError(f"{caller.arn} has no access entry in {self.cluster}: {error}") from None
        entry = entry["accessEntry"]
        groups = list(entry.get("kubernetesGroups", []))
        if any(
            policy["policyArn"] == CLUSTER_ADMINISTRATOR and policy["accessScope"]["type"] == "cluster"
            for policy in policies
        ):
            groups.append("system:masters")
        return {
            "authenticated": True,
            "user": {
                "username": entry.get("username") or caller.arn,
                "uid": f"aws-iam-authenticator:{caller.account}:{caller.user_id}",
                "groups": groups,
                "extra": {"arn": [caller.arn], layout.PRINCIPAL_EXTRA: [caller.principal]},
            },
        }

    def _perform(self, identity: PresignedIdentity) -> Caller:
        """Send the request as signed, with this cluster's name. A token of another cluster does not verify."""
        request = Request(  # noqa: S310 (scheme of the endpoint)
            f"{self.endpoint}/?{identity.query}", headers={"Host": identity.host, CLUSTER_HEADER: self.cluster}
        )
        try:
            with _DIRECT.open(request, timeout=10) as response:
                answer = ElementTree.fromstring(response.read())  # noqa: S314 (from the sandbox's STS)
        except HTTPError as error:
            raise TokenError(f"STS refused it: {error.code} {error.read().decode(errors='replace')}") from None
        except (OSError, HTTPException) as error:
            raise TokenError(f"STS could not be asked: {error}") from None
        result = answer.find(f"{_STS}GetCallerIdentityResult")
        if result is None:
            raise TokenError("STS named no caller")
        arn, user_id, account = (result.findtext(f"{_STS}{name}", "") for name in ("Arn", "UserId", "Account"))
        return Caller(arn, user_id, account)


def serve(authenticator: Authenticator, authorizer: Authorizer, pki: Path, port: int) -> ThreadingHTTPServer:
    """Return a TLS server on loopback for TokenReviews, SubjectAccessReviews and AdmissionReviews of pods."""
    accounts = pod_identity_webhook.ServiceAccounts(pki)
    reviews = {
        "/authenticate": authenticator.review,
        "/authorize": authorizer.review,
        pod_identity_webhook.PATH: functools.partial(pod_identity_webhook.review, accounts=accounts),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            if length > _LARGEST_REVIEW:
                self.send_error(413)
                return
            try:
                request = json.loads(self.rfile.read(length))
            except ValueError:
                self.send_error(400, "not a review")
                return
            review = reviews.get(urlsplit(self.path).path)
            if review is None:
                self.send_error(404)
                return
            answer = json.dumps(review(request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (name of the base class)
            """Log nothing here: refusals are logged with their reason."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "authenticator.crt", pki / "authenticator.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main() -> None:
    """Run `python -m sandbox.aws.authenticator --root FOLDER` with endpoint and credentials in the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the sandbox's folder")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    authenticator = Authenticator(layout.CLUSTER, f"http://127.0.0.1:{layout.AWS_PORT}")
    authorizer = Authorizer(layout.CLUSTER, authenticator.eks)
    serve(authenticator, authorizer, given.root / "pki", layout.AUTHENTICATOR_PORT).serve_forever()


if __name__ == "__main__":
    main()
