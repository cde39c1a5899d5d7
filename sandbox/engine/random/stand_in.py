"""The resource `RandomPassword` as the released provider has it.

A password is drawn once and then stands in the state alone, so there is nothing to read or to delete, and every changed
input draws another one. `bcryptHash` is left out: nothing here uses it.
"""

# ruff: noqa: ARG002 - the engine sends more than this provider needs

import secrets
import string
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from sandbox.engine.provider.base import Checked, Difference, StandIn, State, Target, top_level_changes
from sandbox.engine.provider.failures import UnsupportedTypeError
from sandbox.engine.provider.values import UNKNOWN, JsonObject, has_unknown, plain

PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type, not a password
_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
# Which input turns a kind of characters off, which one asks for some of it, and the characters.
_KINDS = (
    ("lower", "minLower", string.ascii_lowercase),
    ("upper", "minUpper", string.ascii_uppercase),
    ("numeric", "minNumeric", string.digits),
    ("special", "minSpecial", _SPECIAL),
)
_DEFAULTS: Mapping[str, object] = {
    **{switch: True for switch, _, _ in _KINDS},
    **{least: 0 for _, least, _ in _KINDS},
}
_INPUTS = frozenset({*_DEFAULTS, "keepers", "length", "number", "overrideSpecial"})


class RandomStandIn(StandIn):
    """The `random` provider of one engine run. It has no settings.

    Secrets need no care here: the SDK names `result` a secret output, and the engine marks it.
    """

    package = "random"
    version = version("pulumi-random")

    def configure(self, config: JsonObject) -> None:
        """Nothing to configure."""

    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        _require_password(target)
        failures = [(key, f"Invalid or unknown key {key!r}") for key in sorted(news.keys() - _INPUTS)]
        if "length" not in news:
            failures.append(("length", "Missing required argument: the argument `length` is required"))
        elif not has_unknown(news):
            failures += _impossible(plain(news))
        return Checked(news, failures)

    def diff(
        self, target: Target, resource_id: str, olds: State, news: JsonObject, ignore_changes: Sequence[str]
    ) -> Difference:
        _require_password(target)
        changes = top_level_changes(plain(olds.inputs), plain(news))
        kept = {key: change.replacing() for key, change in changes.items() if key not in ignore_changes}
        return Difference(kept)

    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State:
        _require_password(target)
        outputs = {**_DEFAULTS, **inputs}
        if preview:
            return State("", {**outputs, "result": UNKNOWN})
        return State("none", {**outputs, "result": draw(outputs)})

    def read(self, target: Target, olds: State) -> State:
        _require_password(target)
        if not olds.outputs:  # an import, whose id is the password
            length = len(olds.resource_id)
            return State("none", {**_DEFAULTS, "length": length, "result": olds.resource_id}, {"length": length})
        return olds

    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State:
        raise AssertionError("every change of a password replaces it")

    def delete(self, target: Target, olds: State, timeout: float) -> None:
        _require_password(target)

    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]:
        raise UnsupportedTypeError(token, self.package, [], "function")


def draw(inputs: Mapping[str, object]) -> str:
    """A password of `length` characters of the kinds that are on, at least as many of each as asked for."""
    kinds = _alphabets(inputs)
    drawn = [secrets.choice(letters) for letters, least in kinds for _ in range(least)]
    every = "".join(letters for letters, _ in kinds)
    drawn += [secrets.choice(every) for _ in range(_whole(inputs["length"]) - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def _alphabets(inputs: Mapping[str, object]) -> list[tuple[str, int]]:
    """Characters of each kind that is on, and how many of it there must be."""
    known = {**_DEFAULTS, **inputs}
    if "number" in inputs:  # the old name of `numeric`
        known["numeric"] = inputs["number"]
    special = str(inputs.get("overrideSpecial") or _SPECIAL)
    return [
        (special if switch == "special" else letters, _whole(known[least]))
        for switch, least, letters in _KINDS
        if known[switch]
    ]


def _impossible(inputs: Mapping[str, object]) -> list[tuple[str, str]]:
    kinds = _alphabets(inputs)
    length, least = _whole(inputs["length"]), sum(count for _, count in kinds)
    if not kinds:
        return [("special", "At least one of lower, upper, numeric and special must be true")]
    if length < max(1, least):
        return [("length", f"Attribute length value must be at least {max(1, least)}, got: {length}")]
    return []


def _whole(value: object) -> int:
    return int(str(value))


def _require_password(target: Target) -> None:
    if target.type != PASSWORD:
        raise UnsupportedTypeError(target.type, RandomStandIn.package, [PASSWORD])
