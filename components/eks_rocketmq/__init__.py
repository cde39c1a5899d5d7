"""From an AWS account, or a cluster that someone else made, to an Apache RocketMQ that keeps its messages on EBS.

The public names stand in `__init__.pyi`, once, for type checkers and for this module: each is imported when it is first
asked for, so that a program with RocketMQ alone never loads the AWS SDK.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from eks_rocketmq.distribution import explain_missing_extra, get_version

_HOMES = {
    alias.name: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of names, read from the stub


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of every public type
    if name == "__version__":
        return get_version()
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        raise explain_missing_extra(error, f"eks_rocketmq.{name}") from error
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
