"""Evaluation of IAM policy statements: actions, resources and condition operators. Pure.

Results are three-valued. None means that the request context does not decide it, for example for `aws:SourceIp`.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eks_rocketmq.lookups.policy_elements import list_statements, list_values

_SET_OPERATORS = ("ForAnyValue:", "ForAllValues:")
_IF_EXISTS = "IfExists"
_AWS_PREFIXES = ("aws:", "ec2:", "iam:", "kms:", "saml:", "sts:")
"""Prefixes of condition keys whose values AWS knows. Other keys are claims of an issuer."""
_ESCAPES = {"${*}": "*", "${?}": "?", "${$}": "$"}
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_TOKEN = re.compile(r"\$\{[*?$]\}|.", re.DOTALL)


def is_aws_key(key: str) -> bool:
    """Return whether a condition key belongs to AWS and not to an issuer."""
    return key.lower().startswith(_AWS_PREFIXES)


@dataclass(frozen=True)
class RequestContext:
    """Condition keys of a request.

    Names of condition keys are not case-sensitive.
    """

    values: Mapping[str, tuple[str, ...]]
    """Values by key in lower case. A key without values is absent from the request."""
    complete_prefixes: tuple[str, ...] = ()
    """Prefixes of keys of AWS, in lower case, that are absent from the request if `values` does not contain them."""

    def get_values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of a key; an empty tuple if the request does not have it, None if that is unknown."""
        name = key.lower()
        if name in self.values:
            return self.values[name]
        known = name.startswith(self.complete_prefixes) or not is_aws_key(name)
        return () if known else None


@dataclass(frozen=True)
class ConditionResult:
    """Result for one key of a condition block."""

    operator: str
    key: str
    expected: tuple[str, ...]
    actual: tuple[str, ...] | None
    holds: bool | None


@dataclass(frozen=True)
class StatementResult:
    """Result for the conditions of one statement."""

    conditions: tuple[ConditionResult, ...] = field(default=())

    @property
    def holds(self) -> bool | None:
        """Return whether all conditions hold."""
        return combine_all(each.holds for each in self.conditions)


def combine_all(results: Iterable[bool | None]) -> bool | None:
    """Return the three-valued conjunction."""
    found = list(results)
    if False in found:
        return False
    return None if None in found else True


def combine_any(results: Iterable[bool | None]) -> bool | None:
    """Return the three-valued disjunction."""
    found = list(results)
    if True in found:
        return True
    return None if None in found else False


def evaluate_conditions(block: Mapping[str, Any], context: RequestContext) -> StatementResult:
    """Evaluate the element `Condition` of a statement."""
    block = block if isinstance(block, Mapping) else {}
    return StatementResult(
        tuple(
            _evaluate_key(operator, key, tuple(list_values(expected)), context)
            for operator, keys in block.items()
            for key, expected in (keys.items() if isinstance(keys, Mapping) else ())
        )
    )


def matches_action(statement: Mapping[str, Any], action: str) -> bool:
    """Return whether a statement is about an action. Actions are not case-sensitive."""
    if "NotAction" in statement:
        return not _matches_action(list_values(statement["NotAction"]), action)
    return _matches_action(list_values(statement.get("Action", [])), action)


def matches_resource(statement: Mapping[str, Any], resource: str) -> bool | None:
    """Return whether a statement is about a resource; None if it contains a policy variable."""
    negated = "NotResource" in statement
    patterns = list_values(statement.get("NotResource" if negated else "Resource", []))
    found = combine_any(_match_pattern(each, resource) for each in patterns)
    return found if not negated or found is None else not found


def evaluate_action(
    documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: RequestContext
) -> bool | None:
    """Return whether identity-based policies allow an action; None if the context does not decide it."""
    allow, deny = _evaluate_effects(documents, action, resource, context)
    return combine_all([allow, None if deny is None else not deny])


def is_denied(documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: RequestContext) -> bool:
    """Return whether a Deny statement of identity-based policies certainly matches a request."""
    return _evaluate_effects(documents, action, resource, context)[1] is True


def _evaluate_effects(
    documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: RequestContext
) -> tuple[bool | None, bool | None]:
    """Return whether an Allow statement matches a request, and whether a Deny statement does."""
    allowed: list[bool | None] = []
    denied: list[bool | None] = []
    for statement in (each for document in documents for each in list_statements(document)):
        if not matches_action(statement, action):
            continue
        conditions = evaluate_conditions(statement.get("Condition") or {}, context).holds
        applies = combine_all([matches_resource(statement, resource), conditions])
        (denied if statement.get("Effect") == "Deny" else allowed).append(applies)
    return combine_any(allowed), combine_any(denied)


def match_text(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Return whether a value matches a pattern with `*` and `?`."""
    return bool(_compile(pattern, ignore_case).fullmatch(value))


@cache
def _compile(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = []
    for token in _TOKEN.findall(pattern):
        if token in _ESCAPES:
            parts.append(re.escape(_ESCAPES[token]))
        else:
            parts.append({"*": ".*", "?": "."}.get(token) or re.escape(token))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _matches_action(patterns: Sequence[str], action: str) -> bool:
    return any(match_text(each, action, ignore_case=True) for each in patterns)


def _has_variable(pattern: str) -> bool:
    return any(each not in _ESCAPES for each in _VARIABLE.findall(pattern))


def _match_pattern(pattern: str, value: str) -> bool | None:
    return None if _has_variable(pattern) else match_text(pattern, value)


def _match_equal(pattern: str, value: str) -> bool | None:
    if _has_variable(pattern):
        return None
    plain = _VARIABLE.sub(lambda found: _ESCAPES[found[0]], pattern)
    return plain == value


def _match_equal_ignoring_case(pattern: str, value: str) -> bool | None:
    return _match_equal(pattern.lower(), value.lower())


def _match_arn(pattern: str, value: str) -> bool | None:
    """Match each of the six parts of an ARN on its own, as IAM does."""
    if _has_variable(pattern):
        return None
    expected, actual = pattern.split(":", 5), value.split(":", 5)
    return len(expected) == len(actual) and all(map(match_text, expected, actual))


_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool | None], bool]] = {
    "stringequals": (_match_equal, False),
    "stringnotequals": (_match_equal, True),
    "stringequalsignorecase": (_match_equal_ignoring_case, False),
    "stringnotequalsignorecase": (_match_equal_ignoring_case, True),
    "stringlike": (_match_pattern, False),
    "stringnotlike": (_match_pattern, True),
    "arnequals": (_match_arn, False),
    "arnlike": (_match_arn, False),
    "arnnotequals": (_match_arn, True),
    "arnnotlike": (_match_arn, True),
    "bool": (_match_equal_ignoring_case, False),
}
"""Comparison of each operator in lower case, and whether it is negated."""


def _evaluate_key(operator: str, key: str, expected: tuple[str, ...], context: RequestContext) -> ConditionResult:
    actual = context.get_values(key)
    return ConditionResult(operator, key, expected, actual, _compare(operator, expected, actual))


def _compare(operator: str, expected: Sequence[str], actual: Sequence[str] | None) -> bool | None:
    quantifier = next((each for each in _SET_OPERATORS if operator.startswith(each)), "")
    name = operator.removeprefix(quantifier)
    optional = name.endswith(_IF_EXISTS)
    name = name.removesuffix(_IF_EXISTS).lower()
    if actual is None:
        return None
    if name == "null":
        return (not actual) == (expected[0].lower() == "true") if expected else None
    if name not in _OPERATORS:
        return None
    match, negated = _OPERATORS[name]
    if not actual:
        return optional or (negated if not quantifier else quantifier == "ForAllValues:")
    results = [_compare_value(match, expected, each, negated=negated) for each in actual]
    if quantifier == "ForAllValues:" or (negated and not quantifier):
        return combine_all(results)
    return combine_any(results)


def _compare_value(
    match: Callable[[str, str], bool | None], expected: Sequence[str], value: str, *, negated: bool
) -> bool | None:
    found = combine_any(match(each, value) for each in expected)
    return found if not negated or found is None else not found
