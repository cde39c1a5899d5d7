"""Command `eks-rocketmq doctor`. It does not import Pulumi."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from eks_rocketmq.doctor.diagnosis import DiagnosisTarget, ExitCode, TargetError, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.doctor.facts.fact_files import DumpError, read_facts, write_facts
from eks_rocketmq.doctor.live_cluster import AwsSessionError, read_live_facts
from eks_rocketmq.doctor.report import build_json, render_text
from eks_rocketmq.lookups.kubeconfig_files import read_eks_context

app = typer.Typer(pretty_exceptions_enable=False)
_EXCLUSIVE = "Give one of --claim, --service-account and --addon, or none to judge the whole cluster."


@app.command("doctor")
def doctor(  # noqa: PLR0913, PLR0917 - each parameter is a command-line option
    claim: Annotated[str, typer.Option(metavar="NAMESPACE/NAME", help="Judge what this claim waits for.")] = "",
    service_account: Annotated[
        str, typer.Option(metavar="NAMESPACE/NAME", help="Judge the identity of this service account.")
    ] = "",
    addon: Annotated[str, typer.Option(metavar="NAME", help="Judge the identity of this EKS addon.")] = "",
    cluster: Annotated[str, typer.Option(metavar="NAME", help="EKS cluster. Default: that of the kubeconfig.")] = "",
    region: Annotated[str, typer.Option(help="AWS region. Default: that of the kubeconfig.")] = "",
    profile: Annotated[str, typer.Option(help="Profile of the AWS CLI. Default: that of the kubeconfig.")] = "",
    kubeconfig: Annotated[str, typer.Option(metavar="FILE", help="Default: that of kubectl.")] = "",
    context: Annotated[str, typer.Option(metavar="NAME", help="Context of the kubeconfig.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Do not try to assume a role with a token.")] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Judge a dump instead of a live cluster.")
    ] = None,
    dump: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write what was read into a folder, without secrets.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Find out why a claim is Pending: the broken link between cluster, IAM, driver and claim. Nothing is changed.

    The exit code is 0 if no fault was found, 1 if something is broken, and 2 if something could not be judged.
    """
    target = DiagnosisTarget(claim, service_account, addon)
    if sum(map(bool, (claim, service_account, addon))) > 1:
        _fail(_EXCLUSIVE)
    for option, value in (("--claim", claim), ("--service-account", service_account)):
        if value and (value.count("/") != 1 or not all(value.split("/"))):
            _fail(f"{option} {value}: write NAMESPACE/NAME.")
    try:
        facts = read_facts(from_) if from_ else _collect(target, cluster, region, profile, kubeconfig, context, offline)
        if dump:
            _write_dump(facts, dump)
        diagnosis = diagnose(facts, target)
    except (AwsSessionError, DumpError, TargetError) as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps(build_json(diagnosis, facts), indent=2))
    else:
        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        typer.echo(render_text(diagnosis, facts, color=color), nl=False, color=color)
    raise typer.Exit(diagnosis.exit_code)


def _write_dump(facts: Facts, folder: Path) -> None:
    try:
        write_facts(facts, folder)
    except OSError as error:
        _fail(f"--dump {folder}: {error.strerror}. Give a folder that you may write.")


def _collect(  # noqa: PLR0913, PLR0917 - the options of the command
    target: DiagnosisTarget, cluster: str, region: str, profile: str, kubeconfig: str, context: str, offline: bool
) -> Facts:
    if kubeconfig and not Path(kubeconfig).is_file():
        _fail(f"--kubeconfig {kubeconfig}: no such file.")
    settings = {"kubeconfig": kubeconfig, **({"context": context} if context else {})}
    selected = read_eks_context(kubeconfig, context).override(cluster=cluster, region=region, profile=profile)
    return read_live_facts(selected, settings, target, offline=offline)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(ExitCode.NOT_JUDGED)
