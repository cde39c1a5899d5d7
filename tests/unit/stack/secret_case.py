"""Secrets that no error may show, and a search for parts of them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq.args.argument_path import CAMEL_CASE, PYTHON
from eks_rocketmq.args.errors import ArgumentError, split_error
from eks_rocketmq.stack import secret_checks, settings
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import PROJECT, run, stack_config
from tests.unit.harness.rejections import walk_causes

# Quotes, escapes and letters that Python, JSON and YAML write differently. No part of the text is a word.
CANARY = "Kz7'qVw\"8\\Xj\tßé☃Pf3"
NUMBER = -864209753113
# Accepted as the name of a user, of a topic, of a Secret, and as a password.
NAME = "kz7qvw8xjpf3"
WRONG: dict[str, Any] = {
    "text": CANARY,
    "number": NUMBER,
    "fraction": 864209.753113,
    "list": [CANARY, NUMBER],
    "object": {CANARY: CANARY},
    "nested": {"users": {CANARY: {CANARY: [NUMBER]}}},
    "text in a list in a list": [[CANARY]],
}
ACCESS: dict[str, Any] = {
    "internalGeneration": 1,
    "users": [
        {
            "name": "orders",
            "password": "correct-horse",
            "enabled": True,
            "permissions": [
                {
                    "resources": ["Topic:orders-*"],
                    "actions": ["Pub"],
                    "decision": "Allow",
                    "sourceIps": ["10.0.0.0/8"],
                }
            ],
        },
        {"name": "admin", "type": "Super", "passwordVersion": 1},
    ],
}
PASSWORD = ("users", 0, "password")
SECURE = {"secure": "v1:abc:def"}
ROLE = "arn:aws:iam::140023393377:role/deployer"
SECRET_ROLE = f"arn:aws:iam::140023393377:role/{NAME}"


SPELLINGS = {
    *(CANARY, repr(CANARY), ascii(CANARY), json.dumps(CANARY), CANARY.lower(), CANARY.upper(), NAME),
    *(yaml.safe_dump(CANARY), yaml.safe_dump(CANARY, allow_unicode=True), str(NUMBER), "864209.753113"),
}
FRAGMENTS = frozenset(spelling[at : at + 6] for spelling in SPELLINGS for at in range(len(spelling) - 5))


def leaks(text: str) -> bool:
    """Return whether a text has six successive characters of a secret, in any spelling."""
    return any(fragment in text for fragment in FRAGMENTS)


def find_leaks(error: ValueError) -> list[str]:
    """Return the texts of an error, and the values that another surface may render later, that show a secret."""
    texts = [str(error)]
    for each in split_error(error):
        assert isinstance(each, ArgumentError)
        texts += [each.message.render(surface) for surface in (PYTHON, CAMEL_CASE, STACK_FILE)]
        texts += [surface.spell_path(each.path) for surface in (PYTHON, CAMEL_CASE, STACK_FILE)]
        texts += [
            text
            for value in each.message.values.values()
            for text in (f"{value}", f"{value!r}", repr([value]), repr({"value": value}))
        ]
    return list(filter(leaks, texts))


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value inside of another one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from list_paths(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return other
    result = copy.deepcopy(value)
    get(result, path[:-1])[path[-1]] = other
    return result


def get(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def put_beside(value: dict[str, Any], path: tuple[Any, ...]) -> Any:
    """Return a copy with the secret as an unknown field or an additional item beside the value at a path."""
    result = copy.deepcopy(value)
    parent = get(result, path[:-1])
    if isinstance(parent, dict):
        parent[CANARY] = CANARY
    else:
        parent.append(CANARY)
    return result


def load(overrides: dict[str, Any], *encrypted: str, stack: str = "prod") -> None:
    keys = [key if ":" in key else f"{PROJECT}:{key}" for key in encrypted]
    run(settings.load, config=stack_config(stack, overrides), encrypted=keys, stack=stack)


def reject(overrides: dict[str, Any], *encrypted: str, stack: str = "prod") -> str:
    """Return the error of a stack file, which must contain no leak."""
    with pytest.raises(pulumi.RunError) as error:
        load(overrides, *encrypted, stack=stack)
    text = str(error.value)
    assert not leaks(text), text
    assert [each for each in map(str, walk_causes(error.value)) if leaks(each)] == []
    return text


def reject_access(value: Any, written: Any = None) -> ValueError:
    """Return the error of an encrypted `access` as data, which must contain no leak."""
    node = yaml.compose(yaml.safe_dump(written), Loader=yaml.SafeLoader) if written is not None else None
    with pytest.raises(ValueError) as error:  # noqa: PT011 - path and code are compared by the caller
        secret_checks.check_encrypted({"access": json.dumps(value)}, {"access"}, {"access": node})
    assert find_leaks(error.value) == []
    return error.value


def write(folder: Path, key: str, value: Any, *secrets: tuple[Any, ...]) -> None:
    """Write a value into the stack file, with parts of it encrypted as by `pulumi config set --secret --path`."""
    file = folder / "Pulumi.prod.yaml"
    stack = yaml.safe_load(file.read_text())
    for path in secrets:
        value = put(value, path, SECURE)
    stack["config"][f"{PROJECT}:{key}"] = value
    file.write_text(yaml.dump(stack, Dumper=yaml.CSafeDumper, sort_keys=False))


VALID = put(put(ACCESS, PASSWORD, NAME), ("users", 0, "name"), NAME)
VALID = put(VALID, ("users", 0, "permissions", 0, "resources"), [f"Topic:{NAME}"])
"""Accepted settings with secrets in place of name, password and resource."""
