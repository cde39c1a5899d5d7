"""What a fault needs of a sandbox: kubectl, clients of AWS and the programs of the cache."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from sandbox.aws import env_file
from sandbox.aws.seed import HOST, PROVIDER_ARN, SUBJECT
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.kubectl import apply, kubectl
from sandbox.ebs_csi import health
from sandbox.layout import REGION, ROLE_ANNOTATION, SandboxInstance
from sandbox.polling import wait_until

NAMESPACE, SERVICE_ACCOUNT, CONTROLLER = "kube-system", "ebs-csi-controller-sa", "ebs-csi-controller"
ROLLOUT_SECONDS = 180


class FaultError(Exception):
    """A fault cannot be made or mended; the message says why."""


@dataclass(frozen=True)
class FaultContext:
    """Running sandbox. Its AWS clients work inside the control namespace only."""

    instance: SandboxInstance
    tools: Toolchain
    _clients: dict[str, Any] = field(default_factory=dict, init=False, compare=False)

    def aws(self, service: str) -> Any:  # noqa: ANN401 (boto3 makes its clients at run time)
        """Return a client with the keys of the operator."""
        if service not in self._clients:
            keys = env_file.read(self.instance.root / "aws.env")
            self._clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.instance.aws_endpoint,
                aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            )
        return self._clients[service]

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return the output of kubectl."""
        return kubectl(self.instance, self.tools, *arguments, stdin=stdin)

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects of `kubectl get ARGUMENTS`; none if an object does not exist."""
        text = self.kubectl("get", *arguments, "--ignore-not-found", "-o", "json")
        found = json.loads(text) if text.strip() else {"items": []}
        return found.get("items", [found])

    def apply(self, manifests: Sequence[dict[str, Any]]) -> None:
        """Create objects, or apply their fields."""
        apply(self.instance, self.tools, manifests)

    def annotate_role(self, arn: str) -> None:
        """Write the role into the annotation of the driver's service account. Its pods stay as they are."""
        self.kubectl(
            *("-n", NAMESPACE, "annotate", "serviceaccount", SERVICE_ACCOUNT, "--overwrite"),
            f"{ROLE_ANNOTATION}={arn}",
        )

    def roll_out(self) -> None:
        """Wait until the pods of the controller are those of its Deployment and ready, and EKS reports them healthy."""
        timeout = f"--timeout={ROLLOUT_SECONDS}s"
        self.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{CONTROLLER}", timeout)
        if not wait_until(lambda: health.read(self.instance) in (None, health.ACTIVE), ROLLOUT_SECONDS):
            raise FaultError(f"the addon of the driver is not ACTIVE {ROLLOUT_SECONDS} s after its rollout")

    def restart_driver(self) -> None:
        """Restart the controller, which keeps its credentials for an hour. Do not wait for it."""
        self.kubectl("-n", NAMESPACE, "delete", "pods", "-l", f"app={CONTROLLER}", "--wait=false")


def trust_policy(  # noqa: PLR0913 - the parts of a trust policy that can be wrong
    *,
    key: str = HOST,
    subject: str = SUBJECT,
    audience: str = "sts.amazonaws.com",
    federated: str = PROVIDER_ARN,
    action: str = "sts:AssumeRoleWithWebIdentity",
    more: Mapping[str, Any] | None = None,
) -> str:
    """Return a trust policy for the driver; without arguments the correct one."""
    condition = {"StringEquals": {f"{key}:sub": subject, f"{key}:aud": audience}, **(more or {})}
    principal = {"Federated": federated}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def permissions(*actions: str, resource: str = "*", effect: str = "Allow") -> str:
    """Return a policy that allows or denies actions."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
