"""IAM authorization: root's signature is checked; resources of EC2 and KMS and tag conditions work as in AWS."""

import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.aws import call_log, control_policies, patching
from sandbox.aws.call_log import Call
from sandbox.aws.emulator import Parameters, Response, ec2, iam_actions, iam_evaluator, kms, responses, sts

# Services whose denials name the resource. EC2 adds a sentence before.
_NAMED = ("ec2", "eks", "iam")
_EC2_DENIED = "You are not authorized to perform this operation. "
_TAGGING = ("CreateTags", "DeleteTags")
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERALS = ("*", "?", "$")


@dataclass
class Changes:
    """Whether the current request may change something."""

    pending: bool = False


# The server sets it for each request, as EKS verbs run in threads beside other requests.
changes: ContextVar[Changes] = ContextVar("sandbox_changes")
_caller: ContextVar[str] = ContextVar("sandbox_caller", default="")
_limit: ContextVar[str] = ContextVar("sandbox_limit", default="")
"""Kind of the policy that denied the current request, if no identity-based policy did."""


def install(logs: Path) -> None:
    """Patch the emulator's policy evaluation. `logs` is the folder of the call log."""
    _check_root()
    _resolve_resources()
    _add_tag_keys(logs)
    _expand_variables()
    _note_limit()
    _name_denied_resources()


def allowed(action: str, resource_arn: str, context: dict[str, Any]) -> Response | None:
    """Check another action of the current request, such as tags in a create.

    Returns None when the caller may, else the answer to send.
    """
    service = action.split(":", 1)[0]
    denied = iam_evaluator.enforce(
        _caller.get(), action, service, responses.get_region(), resource_arn=resource_arn, service_context=context
    )
    if denied is None:
        return None
    return iam_actions.access_denied_response(
        service,
        action,
        denied.principal_arn,
        responses.new_uuid(),
        resource_arn=resource_arn,
        explicit_deny=denied.decision == "Deny",
    )


def ec2_resources(params: Parameters, region: str, account: str) -> list[str]:
    """Return the resources for which AWS authorizes a volume verb, the one in a denial first. Empty for other verbs."""

    def arn(kind: str, name: str) -> str:
        return f"arn:aws:ec2:{region}:{account}:{kind}/{name}"

    def snapshot(name: str) -> str:
        """Return a snapshot's ARN, which has no account."""
        return f"arn:aws:ec2:{region}::snapshot/{name}"

    def value(name: str) -> str:
        return iam_actions._query_param(params, name)

    action = value("Action")
    if action == "CreateVolume":
        origin = value("SnapshotId")
        return [arn("volume", "*"), *([snapshot(origin)] if origin else [])]
    if action in ("AttachVolume", "DetachVolume"):
        instance = value("InstanceId")
        return [arn("volume", value("VolumeId")), *([arn("instance", instance)] if instance else [])]
    if action == "CreateSnapshot":
        return [snapshot("*"), arn("volume", value("VolumeId"))]
    if action == "DeleteSnapshot":
        return [snapshot(value("SnapshotId"))]
    if action in _TAGGING:
        named = ec2._parse_member_list(params, "ResourceId")
        return [snapshot(n) if n.startswith("snap-") else arn(ec2._guess_resource_type(n), n) for n in named]
    return []


def _check_root() -> None:
    """Accept only the server's own root key, with its signature. The emulator accepts any secret for it."""
    if not os.environ.get("AWS_ACCESS_KEY_ID") or not os.environ.get("AWS_SECRET_ACCESS_KEY"):
        raise patching.OverlayError("the server was started without root credentials in its environment")

    def is_root_access_key(access_key_id: str) -> bool:
        return access_key_id == os.environ["AWS_ACCESS_KEY_ID"]

    def _is_root_key(access_key_id: str) -> bool:  # noqa: ARG001 (the emulator's signature)
        """Check every signature. The emulator skips that of the key which this accepts."""
        return False

    patching.replace(iam_evaluator, "is_root_access_key", is_root_access_key)
    patching.replace(sts, "is_root_access_key", is_root_access_key)
    patching.replace(iam_evaluator, "_is_root_key", _is_root_key)


def _resolve_resources() -> None:
    patching.require(ec2, "_guess_resource_type", "_parse_member_list")
    patching.require(kms, "_resolve_key")
    patching.require(iam_actions, "_query_param")

    def first(request: patching.Arguments, stock: Callable[[], str]) -> str:
        named = []
        if request["service"] == "ec2":
            named = ec2_resources(request["query_params"], request["region"], request["account_id"])
        found = named[0] if named else stock()
        return _key_of_alias(found) if request["service"] == "kms" else found

    def all_of_ec2(request: patching.Arguments, stock: Callable[[], list[str]]) -> list[str]:
        """Return all resources of an EC2 verb. The emulator also checks those after the first."""
        return ec2_resources(request["query_params"], request["region"], request["account_id"]) or stock()

    parameters = "service method path headers body query_params region account_id"
    patching.wrap(iam_actions, "extract_resource_arn", parameters, first)
    patching.wrap(iam_actions, "verified_access_resource_arns", "query_params region account_id", all_of_ec2)


def _key_of_alias(arn: str) -> str:
    """Return the key of an alias: IAM evaluates the key, as policies cannot name an alias."""
    key = kms._resolve_key(arn) if ":alias/" in arn else None
    return key["Arn"] if key else arn


def _add_tag_keys(logs: Path) -> None:
    """Add aws:RequestTag from TagSpecifications, and ec2:ResourceTag and aws:ResourceTag of the resource."""
    patching.require(iam_actions, "_TAG_MEMBERS", "_TAG_OPERATIONS")
    patching.require(ec2, "_tags")
    patching.require(iam_evaluator, "_anonymous", "_served_unsigned")
    iam_actions._TAG_MEMBERS = iam_actions._TAG_MEMBERS | {"TagSpecifications"}
    iam_actions._TAG_OPERATIONS.clear()

    def enforce(request: patching.Arguments, stock: Callable[[], Any]) -> Any:  # noqa: ANN401 (the emulator's class, or None)
        denial = decide(request, stock)
        key_id = request["access_key_id"] or ""
        if key_id != os.environ["AWS_ACCESS_KEY_ID"]:
            call = Call(time.time(), key_id, request["iam_action"], request["resource_arn"], denial is None)
            call_log.write(logs, call)
        return denial

    def decide(request: patching.Arguments, stock: Callable[[], Any]) -> Any:  # noqa: ANN401
        key_id, action, service = request["access_key_id"], request["iam_action"], request["service"]
        _caller.set(key_id or "")
        if not action.split(":", 1)[-1].startswith(("Describe", "List", "Get")):
            changes.get().pending = True
        # Unsigned requests of SDKs, such as AssumeRoleWithWebIdentity, have no principal with policies.
        if not key_id and iam_evaluator._anonymous.get() and iam_evaluator._served_unsigned(service, action):
            return None
        context = dict(request["service_context"] or {})
        if service == "ec2":
            for tag in ec2._tags.get(request["resource_arn"].rsplit("/", 1)[-1], []):
                context[f"ec2:ResourceTag/{tag['Key']}"] = tag["Value"]
                context[f"aws:ResourceTag/{tag['Key']}"] = tag["Value"]
        request["service_context"] = context
        return stock()

    parameters = "access_key_id iam_action service region resource_arn service_context"
    patching.wrap(iam_evaluator, "enforce", parameters, enforce)


def _expand_variables() -> None:
    """Expand variables such as `${aws:PrincipalTag/team}` in condition values. The emulator compares the text.

    A statement with a variable that the request lacks does not apply.
    """
    patching.require(iam_evaluator, "_resolve_condition_key")

    def _conditions_met(conditions: dict[str, Any], ctx: Any) -> bool:  # noqa: ANN401 (one of the emulator's classes)
        try:
            expanded = {
                operator: {key: _expanded(values, ctx) for key, values in keys.items()}
                for operator, keys in (conditions or {}).items()
            }
        except LookupError:
            return False
        return stock(expanded, ctx)

    stock = patching.replace(iam_evaluator, "_conditions_met", _conditions_met)


def _expanded(values: Any, ctx: Any) -> Any:  # noqa: ANN401 (a text, or a list of them)
    if isinstance(values, list):
        return [_expanded(value, ctx) for value in values]
    return _VARIABLE.sub(lambda found: _variable(found[1], ctx), values) if isinstance(values, str) else values


def _variable(name: str, ctx: Any) -> str:  # noqa: ANN401
    if name in _LITERALS:
        return name
    value = iam_evaluator._resolve_condition_key(name, ctx)
    if not isinstance(value, str):
        raise LookupError(name)
    return value


def _note_limit() -> None:
    """Keep whether the organization, the boundary or a session policy, and not a policy of the identity, denied."""

    def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:  # noqa: ANN401 (the emulator's classes)
        def allows(layer: Any) -> bool:  # noqa: ANN401
            return stock(ctx, layer).decision == "Allow"

        result = stock(ctx, policies, *limits)
        limit = ""
        if result.decision != "Allow":
            if not all(allows(each) for each in control_policies.layers()):
                limit = "service control policy"
            elif allows(policies):
                limit = "permissions boundary"
        _limit.set(limit)
        return result

    stock = patching.replace(iam_evaluator, "evaluate", evaluate)


def _name_denied_resources() -> None:
    patching.require(iam_actions, "identity_denial_message")

    def deny(denial: patching.Arguments, stock: Callable[[], Response]) -> Response:
        service = denial["service"]
        if service in _NAMED and not denial["error_code"] and not denial["message"]:
            text = iam_actions.identity_denial_message(
                denial["action"], denial["principal_arn"], denial["resource_arn"], denial["explicit_deny"]
            )
            if limit := _limit.get():
                text = text.replace("no identity-based policy allows", f"no {limit} allows")
                text = text.replace("an identity-based policy", f"a {limit}")
            denial["message"] = (_EC2_DENIED if service == "ec2" else "") + text
        return stock()

    parameters = (
        "service action principal_arn request_id error_code message headers resource_arn explicit_deny "
        "resource_policy_arn"
    )
    patching.wrap(iam_actions, "access_denied_response", parameters, deny)
