"""Kubeconfig of an EKS cluster. Pure."""

import json
from typing import Any


def render_kubeconfig(
    *,
    arn: str,
    endpoint: str,
    certificate_authority: str,
    profile: str | None = None,
    role_arn: str | None = None,
) -> str:
    """Return a kubeconfig (JSON) without a secret: it runs `aws eks get-token` for each token.

    Args:
        arn: `arn:<partition>:eks:<region>:<account>:cluster/<name>`. It is the name of the context, and the source of
            region and cluster name.
        endpoint: https URL of the API server.
        certificate_authority: CA of the API server, base64 of PEM.
        profile: AWS profile for the token; default: the credentials of the user who runs kubectl or pulumi.
        role_arn: role to assume for the token; default: none.
    """
    region = arn.split(":")[3]
    name = arn.rsplit("/", 1)[1]
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    user: dict[str, Any] = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": [*arguments, "--role-arn", role_arn] if role_arn else arguments,
        "env": [{"name": "AWS_PROFILE", "value": profile}] if profile else None,
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": arn, "cluster": {"server": endpoint, "certificate-authority-data": certificate_authority}}
            ],
            "users": [
                {"name": arn, "user": {"exec": {key: value for key, value in user.items() if value is not None}}}
            ],
            "contexts": [{"name": arn, "context": {"cluster": arn, "user": arn}}],
            "current-context": arn,
        },
        indent=2,
    )
