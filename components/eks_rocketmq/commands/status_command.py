"""Command `eks-rocketmq status`. It does not import Pulumi."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from eks_rocketmq.args.kubernetes_names import EBS_CSI
from eks_rocketmq.doctor.diagnosis import DiagnosisTarget, ExitCode, diagnose
from eks_rocketmq.doctor.live_cluster import AwsSessionError, read_live_facts
from eks_rocketmq.lookups.kubeconfig_files import EksContext, read_eks_context
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.status.identity_summary import add_versions, summarize_identity
from eks_rocketmq.status.status_facts import IdentityStatus, StatusFacts
from eks_rocketmq.status.status_findings import StatusFinding, choose_exit_code, judge_status
from eks_rocketmq.status.status_report import WIDTH, build_json, render_text

app = typer.Typer(pretty_exceptions_enable=False)
_CLEAR = "\x1b[2J\x1b[H"
_IDENTITY_SECONDS = 60.0
"""Interval in which `--watch` reads the identity chain again. It takes a dozen calls of AWS."""


@app.command("status")
def status(  # noqa: PLR0913, PLR0917 - each parameter is a command-line option
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace of RocketMQ.")] = labels.APP,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show the report again and again.")] = False,
    interval: Annotated[
        float, typer.Option(min=0.5, metavar="SECONDS", help="Pause between two reports of --watch.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    no_identity: Annotated[bool, typer.Option("--no-identity", help="Ask nothing of AWS.")] = False,
    cluster: Annotated[str, typer.Option(metavar="NAME", help="EKS cluster. Default: that of the kubeconfig.")] = "",
    region: Annotated[str, typer.Option(help="AWS region. Default: that of the kubeconfig.")] = "",
    profile: Annotated[str, typer.Option(help="Profile of the AWS CLI. Default: that of the kubeconfig.")] = "",
    kubeconfig: Annotated[str, typer.Option(metavar="FILE", help="Default: that of kubectl.")] = "",
    context: Annotated[str, typer.Option(metavar="NAME", help="Context of the kubeconfig.")] = "",
) -> None:
    """Show how RocketMQ stands: roles, replication, controllers, volumes, versions and the next risk. Reads only.

    The exit code is 0 if all is well, 1 if something is broken or at risk, and 2 if something could not be judged.
    """
    # It takes half a second to load.
    from eks_rocketmq.status.status_reader import StatusReader  # noqa: PLC0415

    if kubeconfig and not Path(kubeconfig).is_file():
        typer.echo(f"--kubeconfig {kubeconfig}: no such file.", err=True)
        raise typer.Exit(ExitCode.NOT_JUDGED)
    target = read_eks_context(kubeconfig, context).override(cluster=cluster, region=region, profile=profile)
    provider = {"kubeconfig": kubeconfig, **({"context": context} if context else {})}
    reader = StatusReader(provider, namespace, target.cluster)
    identity = IdentityReader(target, provider)
    read_identity = (lambda: IdentityStatus("skipped", "--no-identity")) if no_identity else identity.read

    def show() -> ExitCode:
        facts = reader.read(read_identity)
        if facts.workloads == ():
            typer.echo(
                f"Namespace {namespace} contains no RocketMQ of this library. Give its namespace with --namespace.",
                err=True,
            )
            raise typer.Exit(ExitCode.NOT_JUDGED)
        findings = judge_status(facts)
        _print(facts, findings, as_json=as_json, clear=watch)
        return choose_exit_code(facts, findings)

    code = show()
    try:
        while watch:
            time.sleep(interval)
            code = show()
    except KeyboardInterrupt:
        pass
    raise typer.Exit(code)


def _print(facts: StatusFacts, findings: list[StatusFinding], *, as_json: bool, clear: bool) -> None:
    """Print a report. With `clear`, JSON takes one line each, and a terminal shows one report at a time."""
    if as_json:
        typer.echo(json.dumps(build_json(facts, findings), indent=None if clear else 2))
        return
    terminal = sys.stdout.isatty()
    color = terminal and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size((WIDTH, 0)).columns if terminal else WIDTH
    text = render_text(facts, findings, color=color, width=width)
    typer.echo((_CLEAR if clear and terminal else "") + text, nl=False, color=color or None)


class IdentityReader:
    """Reader of the identity chain of the EBS CSI driver. It keeps a result for a minute."""

    def __init__(
        self, target: EksContext, provider: dict[str, str], judge: Callable[..., IdentityStatus] | None = None
    ) -> None:
        self._target = target
        self._provider = provider
        self._judge = judge or judge_identity_chain
        self._last: IdentityStatus | None = None
        self._read_at = 0.0

    def read(self) -> IdentityStatus:
        """Return the state of the chain."""
        if self._last is None or time.monotonic() - self._read_at > _IDENTITY_SECONDS:
            self._last = self._judge(self._target, self._provider)
            self._read_at = time.monotonic()
        return self._last


def judge_identity_chain(target: EksContext, provider: dict[str, str]) -> IdentityStatus:
    """Return the state of the identity chain of the EBS CSI driver, as the doctor judges it without a trial."""
    try:
        facts = read_live_facts(target, provider, offline=True)
    except AwsSessionError as error:
        return IdentityStatus("not-judged", str(error))
    return add_versions(summarize_identity(diagnose(facts, DiagnosisTarget(addon=EBS_CSI))), facts)
