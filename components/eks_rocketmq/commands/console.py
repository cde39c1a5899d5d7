"""Entry point of the console script `eks-rocketmq`, which is also a plugin of kubectl.

`doctor` and `status` run without the other commands, which import Pulumi. The distribution `eks-rocketmq-doctor`
contains these two alone.
"""

import os
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from eks_rocketmq.distribution import NAME, explain_missing_extra

_ALL_COMMANDS = "eks_rocketmq.commands.cli"
_READING = ("doctor", "status")
_CHANGING = ("adopt", "destroy")
_KUBECTL_PLUGIN = "kubectl-eks_rocketmq"
_UNKNOWN = 2


def main() -> None:
    """Run the command line."""
    command = _get_command()
    try:
        app = load_app(command)
    except ModuleNotFoundError as error:
        sys.exit(str(explain_missing_extra(error, NAME)))
    called_by_kubectl = Path(sys.argv[0]).name == _KUBECTL_PLUGIN
    # A shell completes the name of the script, so this name must be the one of the completion.
    try:
        app(prog_name="kubectl eks-rocketmq" if called_by_kubectl and not _is_completing() else None)
    except Exception:
        if command not in _READING:
            raise
        # Python would exit with 1, which says of these commands that something is broken.
        traceback.print_exc()
        sys.exit(_UNKNOWN)


def load_app(command: str) -> Any:  # noqa: ANN401 - typer is an extra
    """Return the application with a command: the one without Pulumi if it suffices or is the only one."""
    if command not in _READING and find_spec(_ALL_COMMANDS):
        return import_module(_ALL_COMMANDS).app
    if command in _CHANGING:
        print(f"{command} needs the library: pip install '{NAME}[cli]'", file=sys.stderr)
        sys.exit(_UNKNOWN)
    from eks_rocketmq.commands.reading_commands import create_app  # noqa: PLC0415 - its packages are an extra

    return create_app()


def _get_command() -> str:
    """Return the command that runs or that a shell completes; empty if none is given."""
    words = sys.argv
    if _is_completing():
        # bash gives the words in the first variable, the other shells in the second.
        words = (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or "").split()
    return words[1] if len(words) > 1 else ""


def _is_completing() -> bool:
    return any(name.endswith("EKS_ROCKETMQ_COMPLETE") for name in os.environ)
