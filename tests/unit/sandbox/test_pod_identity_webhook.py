"""Pod identity webhook of the sandbox: changes to new pods of annotated service accounts."""

import base64
import json
from typing import Any

import kubernetes_validate

from sandbox.aws import pod_identity_webhook
from sandbox.aws.pod_identity_webhook import ServiceAccounts, patch, review

ROLE = "arn:aws:iam::140023393377:role/eks-ebs-csi-driver"


class Accounts(ServiceAccounts):
    """Service accounts. One of them is annotated."""

    def __init__(self) -> None:
        """Do not connect to a cluster."""

    def role(self, namespace: str, name: str) -> str | None:
        return ROLE if (namespace, name) == ("kube-system", "ebs-csi-controller-sa") else None


def apply_operations(pod: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the pod after `add` operations of a JSON patch."""
    result = json.loads(json.dumps(pod))
    for operation in operations:
        at: Any = result
        *folders, last = operation["path"].strip("/").split("/")
        for step in folders:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = operation["value"]
    return result


def pod(account: str = "ebs-csi-controller-sa", **container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"serviceAccountName": account, "containers": [{"name": "c", "image": "i", **container}]},
    }


def test_role_and_token_are_added_to_every_container() -> None:
    original = pod(env=[{"name": "AWS_REGION", "value": "eu-west-1"}])
    changed = apply_operations(original, patch(original, ROLE))
    kubernetes_validate.validate(changed, "1.35", strict=True)
    (container,) = changed["spec"]["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert variables["AWS_ROLE_ARN"] == ROLE
    assert variables["AWS_REGION"] == "eu-west-1", "variables of the pod are kept"
    (mount,) = container["volumeMounts"]
    assert variables["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mount['mountPath']}/token"
    (volume,) = changed["spec"]["volumes"]
    assert volume["name"] == mount["name"]
    assert volume["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "sts.amazonaws.com"


def test_container_with_its_own_role_is_unchanged() -> None:
    assert patch(pod(env=[{"name": "AWS_ROLE_ARN", "value": "own"}]), ROLE) == []


def test_pod_of_an_unannotated_service_account_is_allowed_unchanged() -> None:
    def answer(account: str) -> dict[str, Any]:
        request = {"uid": "1", "namespace": "kube-system", "object": pod(account)}
        return review({"request": request}, Accounts())["response"]

    assert answer("default") == {"uid": "1", "allowed": True}
    changed = answer("ebs-csi-controller-sa")
    assert (changed["allowed"], changed["patchType"]) == (True, "JSONPatch")
    assert json.loads(base64.b64decode(changed["patch"])) == patch(pod(), ROLE)


def test_unavailable_webhook_does_not_block_pods() -> None:
    (hook,) = pod_identity_webhook.configuration(b"ca")["webhooks"]
    assert (hook["failurePolicy"], hook["timeoutSeconds"]) == ("Ignore", 5)
    assert base64.b64decode(hook["clientConfig"]["caBundle"]) == b"ca"
    assert hook["rules"][0]["operations"] == ["CREATE"], "existing pods are not changed"
