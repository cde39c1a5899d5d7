"""EKS's pod identity webhook: a new pod of an annotated service account gets its role and a token.

Existing pods do not change, as on EKS. See https://github.com/aws/amazon-eks-pod-identity-webhook.
"""

import base64
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from sandbox import layout

PATH = "/mutate"
_FOLDER = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
_VOLUME = "aws-iam-token"
_AUDIENCE = "sts.amazonaws.com"
_SECONDS = 86400


def configuration(authority: bytes) -> dict[str, Any]:
    """Return the webhook's MutatingWebhookConfiguration. `authority` is the server's CA as PEM."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [
            {
                "name": "iam-for-pods.amazonaws.com",
                "clientConfig": {
                    "url": f"https://127.0.0.1:{layout.AUTHENTICATOR_PORT}{PATH}",
                    "caBundle": base64.b64encode(authority).decode(),
                },
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                # As on EKS: create the pod without its role rather than not at all.
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 5,
            }
        ],
    }


@dataclass
class ServiceAccounts:
    """Reads service accounts with the certificate of the cluster's administrator."""

    pki: Path

    def role(self, namespace: str, name: str) -> str | None:
        """Return the role in the annotation. None without it, or when the account cannot be read."""
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        context.load_cert_chain(self.pki / "admin.crt", self.pki / "admin.key")
        opener = build_opener(HTTPSHandler(context=context), ProxyHandler({}))
        url = f"https://127.0.0.1:{layout.API_PORT}/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
        try:
            with opener.open(Request(url), timeout=3) as answer:
                found = json.loads(answer.read())
        except (URLError, OSError):
            return None
        return (found["metadata"].get("annotations") or {}).get(layout.ROLE_ANNOTATION)


def review(request: dict[str, Any], accounts: ServiceAccounts) -> dict[str, Any]:
    """Answer an AdmissionReview of a new pod."""
    admission = request["request"]
    pod = admission["object"]
    role = accounts.role(admission["namespace"], pod["spec"].get("serviceAccountName") or "default")
    response: dict[str, Any] = {"uid": admission["uid"], "allowed": True}
    if role and (operations := patch(pod, role)):
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def patch(pod: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """Return the JSON patch that gives a pod its role. Containers with their own role do not change."""
    operations = []
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(pod["spec"].get(kind) or []):
            present = container.get("env") or []
            names = {each["name"] for each in present}
            if "AWS_ROLE_ARN" in names:
                continue
            path = f"/spec/{kind}/{index}"
            mounts = container.get("volumeMounts") or []
            added = [{"name": name, "value": value} for name, value in variables(role).items() if name not in names]
            operations += [
                {"op": "add", "path": f"{path}/env", "value": [*present, *added]},
                {"op": "add", "path": f"{path}/volumeMounts", "value": [*mounts, MOUNT]},
            ]
    if operations:
        volumes = [*(pod["spec"].get("volumes") or []), TOKEN_VOLUME]
        operations.append({"op": "add", "path": "/spec/volumes", "value": volumes})
    return operations


def variables(role: str) -> dict[str, str]:
    """Return the environment variables of a container with a role."""
    return {
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_DEFAULT_REGION": layout.REGION,
        "AWS_REGION": layout.REGION,
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": f"{_FOLDER}/token",
    }


MOUNT = {"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True}
TOKEN_VOLUME = {
    "name": _VOLUME,
    "projected": {
        "sources": [{"serviceAccountToken": {"audience": _AUDIENCE, "expirationSeconds": _SECONDS, "path": "token"}}]
    },
}
