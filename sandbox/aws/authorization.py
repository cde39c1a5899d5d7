"""Who may do what: root's signature checked like any other; resources of EC2 and KMS and tag conditions as in AWS."""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sandbox.aws import guard
from sandbox.aws.emulator import Parameters, Response, ec2, iam_actions, iam_evaluator, kms, responses, sts

# The services whose denials name the resource; EC2 puts a sentence in front.
_NAMED = ("ec2", "eks", "iam")
_EC2_DENIED = "You are not authorized to perform this operation. "
_TAGGING = ("CreateTags", "DeleteTags")
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERALS = ("*", "?", "$")


@dataclass
class Changes:
    """Whether the request at hand may change something."""

    pending: bool = False


# Set by the server for each request: an EKS verb runs in a thread while other requests come and go.
changes: ContextVar[Changes] = ContextVar("sandbox_changes")
_caller: ContextVar[str] = ContextVar("sandbox_caller", default="")


def install() -> None:
    """Make the evaluator see what AWS's sees."""
    _check_root()
    _name_resources()
    _fill_in_tags()
    _expand_variables()
    _word_denials()


def allowed(action: str, resource_arn: str, context: dict[str, Any]) -> Response | None:
    """Check a second action of the request at hand, such as the tags that a create brings along.

    None when the caller may, otherwise the answer to send.
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
    """The resources that AWS authorizes a volume verb on: the one that a denial names first. Empty for other verbs."""

    def arn(kind: str, name: str) -> str:
        return f"arn:aws:ec2:{region}:{account}:{kind}/{name}"

    def snapshot(name: str) -> str:
        """A snapshot's ARN names no account."""
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
    """Only the key that this server was given is root, and its signature counts; stock takes any secret for it."""
    if not os.environ.get("AWS_ACCESS_KEY_ID") or not os.environ.get("AWS_SECRET_ACCESS_KEY"):
        raise guard.OverlayError("the server was started without root credentials in its environment")

    def is_root_access_key(access_key_id: str) -> bool:
        return access_key_id == os.environ["AWS_ACCESS_KEY_ID"]

    def _is_root_key(access_key_id: str) -> bool:  # noqa: ARG001 (the emulator's signature)
        """Stock skips the signature of what this names; nobody's is skipped."""
        return False

    guard.replace(iam_evaluator, "is_root_access_key", is_root_access_key)
    guard.replace(sts, "is_root_access_key", is_root_access_key)
    guard.replace(iam_evaluator, "_is_root_key", _is_root_key)


def _name_resources() -> None:
    guard.require(ec2, "_guess_resource_type", "_parse_member_list")
    guard.require(kms, "_resolve_key")
    guard.require(iam_actions, "_query_param")

    def extract_resource_arn(  # noqa: PLR0913, PLR0917 (the emulator's signature)
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Parameters,
        region: str,
        account_id: str,
    ) -> str:
        named = ec2_resources(query_params, region, account_id) if service == "ec2" else []
        found = named[0] if named else stock(service, method, path, headers, body, query_params, region, account_id)
        return _key_behind(found) if service == "kms" else found

    def verified_access_resource_arns(query_params: Parameters, region: str, account_id: str) -> list[str]:
        """The list whose members after the first are checked as well, for every EC2 verb."""
        return ec2_resources(query_params, region, account_id) or stock_others(query_params, region, account_id)

    stock = guard.replace(iam_actions, "extract_resource_arn", extract_resource_arn)
    stock_others = guard.replace(iam_actions, "verified_access_resource_arns", verified_access_resource_arns)


def _key_behind(arn: str) -> str:
    """Whoever names a key by its alias is judged on the key; stock judges the alias, which no policy can name."""
    key = kms._resolve_key(arn) if ":alias/" in arn else None
    return key["Arn"] if key else arn


def _fill_in_tags() -> None:
    """aws:RequestTag from TagSpecifications; ec2:ResourceTag and aws:ResourceTag from the resource that is checked."""
    guard.require(iam_actions, "_TAG_MEMBERS", "_TAG_OPERATIONS")
    guard.require(ec2, "_tags")
    guard.require(iam_evaluator, "_anonymous", "_served_unsigned")
    iam_actions._TAG_MEMBERS = iam_actions._TAG_MEMBERS | {"TagSpecifications"}
    iam_actions._TAG_OPERATIONS.clear()

    def enforce(  # noqa: PLR0913, PLR0917 (the emulator's signature)
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 (one of the emulator's own classes, or None)
        _caller.set(access_key_id or "")
        if not iam_action.split(":", 1)[-1].startswith(("Describe", "List", "Get")):
            changes.get().pending = True
        # What SDKs send unsigned, such as a token for STS to judge, has no principal whose policies could be looked at.
        if not access_key_id and iam_evaluator._anonymous.get() and iam_evaluator._served_unsigned(service, iam_action):
            return None
        context = dict(service_context or {})
        if service == "ec2":
            for tag in ec2._tags.get(resource_arn.rsplit("/", 1)[-1], []):
                context[f"ec2:ResourceTag/{tag['Key']}"] = tag["Value"]
                context[f"aws:ResourceTag/{tag['Key']}"] = tag["Value"]
        return stock(access_key_id, iam_action, service, region, resource_arn, context)

    stock = guard.replace(iam_evaluator, "enforce", enforce)


def _expand_variables() -> None:
    """`${aws:PrincipalTag/team}` in the value of a condition is what the request says of it; stock compares the text.

    A statement whose variable the request does not have applies to nothing.
    """
    guard.require(iam_evaluator, "_resolve_condition_key")

    def _conditions_met(conditions: dict[str, Any], ctx: Any) -> bool:  # noqa: ANN401 (one of the emulator's classes)
        try:
            expanded = {
                operator: {key: _expanded(values, ctx) for key, values in keys.items()}
                for operator, keys in (conditions or {}).items()
            }
        except LookupError:
            return False
        return stock(expanded, ctx)

    stock = guard.replace(iam_evaluator, "_conditions_met", _conditions_met)


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


def _word_denials() -> None:
    guard.require(iam_actions, "identity_denial_message")

    def access_denied_response(  # noqa: PLR0913 (the emulator's signature)
        service: str,
        action: str,
        principal_arn: str,
        request_id: str,
        *,
        error_code: str = "",
        message: str = "",
        headers: dict[str, str] | None = None,
        resource_arn: str = "*",
        explicit_deny: bool = False,
        resource_policy_arn: str = "",
    ) -> Response:
        if service in _NAMED and not error_code and not message:
            said = iam_actions.identity_denial_message(action, principal_arn, resource_arn, explicit_deny)
            message = (_EC2_DENIED if service == "ec2" else "") + said
        return stock(
            service,
            action,
            principal_arn,
            request_id,
            error_code=error_code,
            message=message,
            headers=headers,
            resource_arn=resource_arn,
            explicit_deny=explicit_deny,
            resource_policy_arn=resource_policy_arn,
        )

    stock = guard.replace(iam_actions, "access_denied_response", access_denied_response)
