"""IAM's SimulatePrincipalPolicy for roles: policies, boundary and organization, with the request's condition keys."""

from typing import Any
from xml.sax.saxutils import escape

from sandbox.aws import control_policies, patching
from sandbox.aws.emulator import Parameters, Response, iam, iam_evaluator, responses
from sandbox.aws.oidc_providers import list_members

_VERB = "SimulatePrincipalPolicy"
_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}
_ALLOWED = "Allow"


def install() -> None:
    """Simulate roles. The emulator ignores conditions and boundaries, and simulates users."""
    patching.require(iam, "_roles", "_p", "_xml")
    patching.require(iam_evaluator, "EvalContext", "evaluate", "_gather_role_policies", "_permissions_boundary")
    stock = patching.replace_verb(iam._IAM_HANDLERS, _VERB, lambda p: _simulate(p) if _names_role(p) else stock(p))


def _names_role(p: Parameters) -> bool:
    return ":role/" in iam._p(p, "PolicySourceArn")


def _simulate(p: Parameters) -> Response:
    arn, account = iam._p(p, "PolicySourceArn"), responses.get_account_id()
    name = arn.rsplit("/", 1)[-1]
    if iam._roles.get(name, {}).get("Arn") != arn:
        return iam._error(404, "NoSuchEntity", escape(f"The role with name {name} cannot be found."), ns="iam")
    resource = next(iter(list_members(p, "ResourceArns")), "*")
    policies = iam_evaluator._gather_role_policies(name, account)
    boundary = iam_evaluator._permissions_boundary(iam._roles, name, account)
    organization = control_policies.layers()
    results = ""
    for action in list_members(p, "ActionNames"):
        context = iam_evaluator.EvalContext(
            principal_arn=arn,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=responses.get_region(),
            service_context=_context(p),
        )
        decision = _DECISIONS[iam_evaluator.evaluate(context, policies, *boundary, *organization).decision]
        details = _detail("PermissionsBoundary", context, boundary)
        details += _detail("Organizations", context, organization)
        results += (
            f"<member><EvalActionName>{escape(action)}</EvalActionName>"
            f"<EvalResourceName>{escape(resource)}</EvalResourceName><EvalDecision>{decision}</EvalDecision>"
            f"<MatchedStatements/><MissingContextValues/>{details}</member>"
        )
    result = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return iam._xml(200, f"{_VERB}Response", f"<{_VERB}Result>{result}</{_VERB}Result>", ns="iam")


def _detail(kind: str, context: Any, limits: list[Any]) -> str:  # noqa: ANN401 (one of the emulator's classes)
    """Return whether all limits of a kind allow a request; nothing without a limit."""
    within = all(iam_evaluator.evaluate(context, limit).decision == _ALLOWED for limit in limits)
    element, answer = f"{kind}DecisionDetail", f"AllowedBy{kind}"
    return f"<{element}><{answer}>{str(within).lower()}</{answer}></{element}>" if limits else ""


def _context(p: Parameters) -> dict[str, Any]:
    """Return the condition keys, in lower case as the evaluator looks them up."""
    found: dict[str, Any] = {"aws:tagkeys": None}
    number = 1
    while key := iam._p(p, f"ContextEntries.member.{number}.ContextKeyName"):
        values = list_members(p, f"ContextEntries.member.{number}.ContextKeyValues")
        found[key.lower()] = values[0] if len(values) == 1 else values
        number += 1
    return found
