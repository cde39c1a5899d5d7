"""Apache RocketMQ on Amazon EKS with EBS storage, on a new cluster or an existing one.

`__init__.pyi` lists the public names for type checkers and for this module. Each name is imported on first access, so a
program with RocketMQ alone never loads the AWS SDK.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from eks_rocketmq.distribution import explain_missing_extra, get_version

_MODULES = {
    alias.name: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
__all__ = sorted(_MODULES)  # noqa: PLE0605 - a list of names, read from the stub


def __getattr__(name: str) -> Any:  # noqa: ANN401 - names of different types
    if name == "__version__":
        return get_version()
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    except ModuleNotFoundError as error:
        raise explain_missing_extra(error, f"eks_rocketmq.{name}") from error
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
