"""Annotation `pulumi.com/waitFor`: the program's conditions instead of the built-in rule."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jsonpath_rfc9535 as jsonpath
from typing_extensions import override

from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.values import JsonObject

_BRACES = re.compile(r"\{\s*(.*?)\s*\}")


@dataclass(frozen=True)
class _JsonPath:
    shown: str
    query: jsonpath.JSONPathQuery
    value: str

    @property
    def text(self) -> str:
        return f"{self.shown}={self.value}" if self.value else self.shown

    def check(self, live: JsonObject) -> tuple[bool, str]:
        generation = live["metadata"].get("generation")
        observed = (live.get("status") or {}).get("observedGeneration")
        if generation is not None and observed is not None and observed < generation:
            return False, ""
        values: list[Any] = [node.value for node in self.query.find(live)]
        if not values:
            return False, f"{self.shown} selected nothing"
        if isinstance(values[0], list | dict):
            if self.value:
                raise ProviderError(f'"{self.shown}" has a non-primitive value ({values[0]})')
            return True, f"Found {self.text}"
        found = json.dumps(values[0]) if not isinstance(values[0], str) else values[0]
        if not self.value or found == self.value:
            return True, f"Found {self.text}"
        return False, f'Waiting for {self.text} (found "{found}")'


@dataclass(frozen=True)
class _Condition:
    type: str
    status: str

    def check(self, live: JsonObject) -> tuple[bool, str]:
        status = live.get("status") or {}
        if "conditions" not in status:
            return False, "Has no .status.conditions"
        for condition in status["conditions"]:
            if condition.get("type", "").lower() != self.type.lower():
                continue
            generation = live["metadata"].get("generation", 0)
            observed = condition.get("observedGeneration", status.get("observedGeneration", generation))
            if observed < generation:
                return False, f"Generation {observed} is less than expected {generation}"
            have = condition.get("status", "")
            if have.lower() == self.status.lower():
                return True, ""
            return False, f"Resource has condition {self.type}={have} (want {self.status})"
        return False, ""


class WaitForRule(Rule):
    """Done when all conditions are met."""

    timeout_text = "timed out waiting for the condition"
    cancelled_text = "context canceled"

    def __init__(self, annotation: str) -> None:
        """Parse the annotation: one condition or a JSON list of conditions.

        Raises ProviderError for one that starts neither with `jsonpath=` nor with `condition=`, or is malformed.
        """
        self._checks: Sequence[_JsonPath | _Condition] = [_parsed(text) for text in _texts(annotation)]

    @override
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        results = [check.check(live) for check in self._checks]
        return Progress(done=all(met for met, _ in results), lines=[line for _, line in results if line])


def _texts(annotation: str) -> list[str]:
    try:
        texts = json.loads(annotation)
    except ValueError:
        texts = [annotation]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        texts = [annotation]
    if not texts:
        raise ProviderError("at least one condition must be specified")
    return texts


def _parsed(text: str) -> _JsonPath | _Condition:
    if text.startswith("condition="):
        kind, _, status = text.removeprefix("condition=").partition("=")
        return _Condition(kind, status or "True")
    if not text.startswith("jsonpath="):
        raise ProviderError(f'expected a "jsonpath=" or "condition=" prefix, got "{text}"')
    path, *values = re.split(r"(?<!=)=(?!=)", text.removeprefix("jsonpath="))
    if len(values) > 1:
        raise ProviderError(f'format should be {{.path}}=value or {{.path}}, got "{text}"')
    if values == [""]:
        raise ProviderError(f"{path}= requires a value")
    inner = _BRACES.fullmatch(path)
    if inner is None:
        raise ProviderError(f"{path} should be wrapped in brackets {{ ... }}")
    query = inner[1] if inner[1].startswith("$") else f"${inner[1]}"
    try:
        return _JsonPath(path, jsonpath.compile(query), values[0] if values else "")
    except jsonpath.JSONPathError as error:
        raise ProviderError(f'parsing "{path}": {error}') from error
