"""Resource type `RandomPassword` of the released provider.

A password exists only in the state, so there is nothing to read or delete. A changed input generates another password.
The output `bcryptHash` is missing, because no program here uses it.
"""

# ruff: noqa: ARG002 - a provider uses only some parameters

import secrets
import string
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from sandbox.engine.provider.failures import UnsupportedTypeError
from sandbox.engine.provider.servicer import Checked, Difference, StandIn, State, Target, top_level_changes
from sandbox.engine.provider.values import UNKNOWN, JsonObject, has_unknown, plain

PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type, not a password
_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
# For each kind of characters: the input that enables it, the input with its smallest number, and the characters.
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
    """The `random` provider of one engine run, without settings.

    The SDK declares the output `result` as secret, so the engine marks it.
    """

    package = "random"
    version = version("pulumi-random")

    def configure(self, config: JsonObject) -> None:
        """Ignore the settings: there are none."""

    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        _require_password(target)
        failures = [(key, f"Invalid or unknown key {key!r}") for key in sorted(news.keys() - _INPUTS)]
        if "length" not in news:
            failures.append(("length", "Missing required argument: the argument `length` is required"))
        elif not has_unknown(news):
            failures += _length_failures(plain(news))
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
        return State("none", {**outputs, "result": generate_password(outputs)})

    def read(self, target: Target, olds: State) -> State:
        _require_password(target)
        if not olds.outputs:  # an import: the id is the password
            length = len(olds.resource_id)
            return State("none", {**_DEFAULTS, "length": length, "result": olds.resource_id}, {"length": length})
        return olds

    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State:
        raise AssertionError("every change of a password replaces it")

    def delete(self, target: Target, olds: State, timeout: float) -> None:
        _require_password(target)

    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]:
        raise UnsupportedTypeError(token, self.package, [], "function")


def generate_password(inputs: Mapping[str, object]) -> str:
    """Generate a password of the enabled kinds of characters, with the smallest number of each kind."""
    kinds = _alphabets(inputs)
    characters = [secrets.choice(letters) for letters, least in kinds for _ in range(least)]
    every = "".join(letters for letters, _ in kinds)
    characters += [secrets.choice(every) for _ in range(_integer(inputs["length"]) - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def _alphabets(inputs: Mapping[str, object]) -> list[tuple[str, int]]:
    """Return the characters of each enabled kind, and their smallest number."""
    known = {**_DEFAULTS, **inputs}
    if "number" in inputs:  # the old name of `numeric`
        known["numeric"] = inputs["number"]
    special = str(inputs.get("overrideSpecial") or _SPECIAL)
    return [
        (special if switch == "special" else letters, _integer(known[least]))
        for switch, least, letters in _KINDS
        if known[switch]
    ]


def _length_failures(inputs: Mapping[str, object]) -> list[tuple[str, str]]:
    kinds = _alphabets(inputs)
    length, least = _integer(inputs["length"]), sum(count for _, count in kinds)
    if not kinds:
        return [("special", "At least one of lower, upper, numeric and special must be true")]
    if length < max(1, least):
        return [("length", f"Attribute length value must be at least {max(1, least)}, got: {length}")]
    return []


def _integer(value: object) -> int:
    return int(str(value))


def _require_password(target: Target) -> None:
    if target.type != PASSWORD:
        raise UnsupportedTypeError(target.type, RandomStandIn.package, [PASSWORD])
