"""The console script `eks-rocketmq`."""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from rich.console import Console
from urllib3.exceptions import HTTPError

from eks_rocketmq.adopt import Adoption, adoption, corrections, look_up, read_plan
from eks_rocketmq.clients import find_object
from eks_rocketmq.eks.lookup import Found, aws_session
from eks_rocketmq.engine import EngineError, Pulumi
from eks_rocketmq.pending import recovery

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_out = Console()
_err = Console(stderr=True)


@app.callback()
def _program() -> None:
    """Takes an EKS cluster to an Apache RocketMQ that keeps its messages on EBS."""


@app.command()
def adopt(
    stack: Annotated[str, typer.Option("--stack", "-s", help="The stack that takes over what exists.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Import without asking.")] = False,
    directory: Annotated[
        Path, typer.Option("--cwd", "-C", help="Folder of Pulumi.yaml.", exists=True, file_okay=False)
    ] = Path(),
) -> None:
    """Import once what account and cluster already have, and show what the next `pulumi up` will correct."""
    pulumi = Pulumi(stack, directory)
    try:
        _recover(pulumi)
        found = _look(pulumi)
        if not found.found:
            _out.print(f"Nothing to adopt: whatever stack {stack} would create does not exist yet.")
            return
        _show(found, stack)
        if not (yes or _agreed(len(found.found))):
            _out.print("Nothing was imported.")
            raise typer.Exit(1)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "import.json"
            for document in found.documents:
                file.write_text(json.dumps(document), encoding="utf-8")
                pulumi.import_resources(file)
        _out.print(f"Imported. The next `pulumi up -s {stack}` will correct this:")
        _out.print(corrections(pulumi.diff()), markup=False, highlight=False, soft_wrap=True)
    except EngineError as error:
        _fail(str(error))
    except (BotoCoreError, ClientError) as error:
        _fail(f"AWS cannot be asked what exists: {error}\nCheck the credentials with `aws sts get-caller-identity`.")
    except (ApiException, ConfigException, HTTPError) as error:
        _fail(f"The cluster cannot be asked what exists: {error}\nCheck `kubectl get namespaces` with its kubeconfig.")


def _recover(pulumi: Pulumi) -> None:
    """Take over what a killed engine was at, before anything is planned on a state that does not know it."""

    def lookup(type_: str, inputs: Mapping[str, Any], provider: Mapping[str, Any]) -> Found | None:
        return look_up(type_, inputs, provider, aws_session, find_object)

    left = recovery(pulumi.export(), lookup)
    if left.operations:
        _out.print(f"An update of stack {pulumi.stack} was interrupted in the middle of {left.operations} operations.")
        for urn, id_ in left.created:
            _out.print(f"  taken over  {urn.split('::')[-1]}\n      {id_}", soft_wrap=True, highlight=False)
        pulumi.restore(left.state)


def _look(pulumi: Pulumi) -> Adoption:
    with tempfile.TemporaryDirectory() as folder, _err.status("planning, and asking AWS and the cluster what exists"):
        file = Path(folder) / "import.json"
        digest = pulumi.preview(file)
        project = yaml.safe_load((pulumi.directory / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        stack = pulumi.stack.rsplit("/", 1)[-1]
        plan = read_plan(digest, json.loads(file.read_text(encoding="utf-8")), stack, project)
        return adoption(plan, aws_session, find_object)


def _show(found: Adoption, stack: str) -> None:
    """One resource in two lines, never folded, so that ids can be searched and copied from a log."""
    _out.print(f"Exists already, and stack {stack} will manage it from now on:")
    for type_, name, id_ in found.found:
        _out.print(f"  {name}  [dim]{type_}[/dim]\n      {id_}", soft_wrap=True, highlight=False)


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        _fail("there is no terminal to ask on; give --yes to import what is listed")
    return typer.confirm(f"Import {count} resources?")


def _fail(message: str) -> None:
    _err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry of the console script."""
    app()
