"""Command line of `eks-rocketmq`."""

import json
import sys
import tempfile
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from rich.console import Console
from urllib3.exceptions import HTTPError

from eks_rocketmq.commands.adopt import (
    Adoption,
    KubernetesLookup,
    extract_corrections,
    find_interrupted_create,
    plan_adoption,
    read_plan,
)
from eks_rocketmq.commands.destroy import (
    ClaimedCluster,
    Teardown,
    VolumeLosses,
    classify_volumes,
    plan_teardown,
    select_awaited_volumes,
)
from eks_rocketmq.commands.pulumi_cli import EngineError, PulumiCli
from eks_rocketmq.commands.reading_commands import create_app
from eks_rocketmq.commands.recovery import recover_state
from eks_rocketmq.commands.shared_namespace import find_foreign_objects, retain_namespaces
from eks_rocketmq.lookups.aws_session import AccountUnknownError, create_session
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.interrupted_creates import UnfinishedError
from eks_rocketmq.lookups.kubernetes_objects import find_object, get_last_warning, list_objects, list_volumes
from eks_rocketmq.lookups.volumes import Volume

Stack = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack.")]
Absent = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Interrupted create that made no resource, as you have checked."),
]
Directory = Annotated[Path, typer.Option("--cwd", "-C", help="Folder of Pulumi.yaml.", exists=True, file_okay=False)]

POLL_SECONDS = 2.0
_GUIDE = "docs/how-to/destroy-a-stack-whose-cluster-is-gone.md"
_DELETE_UNREACHABLE = {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}
"""Variable that lets the Kubernetes provider delete objects of a cluster that does not answer.

Without it such a delete fails.
"""
_AWS_ERRORS = (BotoCoreError, ClientError, AccountUnknownError)
_CLUSTER_ERRORS = (ApiException, ConfigException, HTTPError)

app = create_app("Deploy Apache RocketMQ on Amazon EKS with EBS storage.")
_out = Console()
_err = Console(stderr=True)


@app.command()
def adopt(
    stack: Stack,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Import without asking.")] = False,
    absent: Absent = None,
    directory: Directory = Path(),
) -> None:
    """Import existing AWS and Kubernetes resources once, and show what the next `pulumi up` will correct."""
    pulumi = PulumiCli(stack, directory)
    with _report_errors("what exists"):
        _recover(pulumi, absent or (), "Nothing was imported.", find_object)
        adoption = _preview_adoption(pulumi)
        if not adoption.existing:
            _out.print(f"Nothing to adopt: whatever stack {stack} would create does not exist yet.")
            return
        _exit_if_blocked(adoption.blocked)
        _print_adoption(adoption, stack)
        if not (yes or _confirm(f"Import {len(adoption.existing)} resources?", "import what is listed")):
            _out.print("Nothing was imported.")
            raise typer.Exit(1)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "import.json"
            for document in adoption.import_files:
                file.write_text(json.dumps(document), encoding="utf-8")
                pulumi.import_resources(file)
        _out.print(f"Imported. The next `pulumi up -s {stack}` will correct this:")
        _print(extract_corrections(pulumi.preview_diff()))


@app.command()
def destroy(  # noqa: PLR0913, PLR0917 - each parameter is a command-line option
    stack: Stack,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Destroy without asking.")] = False,
    timeout: Annotated[
        int, typer.Option(min=1, metavar="MINUTES", help="How long to wait for the volumes to be deleted.")
    ] = 10,
    keep: Annotated[
        bool, typer.Option("--keep-namespaces", help="Keep the stack's namespaces and all claims in them.")
    ] = False,
    cluster_gone: Annotated[
        bool,
        typer.Option(
            "--cluster-gone",
            help="The cluster no longer exists: do not call it, and leave remaining volumes in AWS.",
        ),
    ] = False,
    absent: Absent = None,
    directory: Directory = Path(),
) -> None:
    """Destroy the stack without leaving volumes behind: first RocketMQ, then the rest once its volumes are deleted."""
    pulumi = PulumiCli(stack, directory, _DELETE_UNREACHABLE if cluster_gone else {})
    with _report_errors("what an interrupted update has made", "Nothing was destroyed."):
        _recover(pulumi, absent or (), "Nothing was destroyed.", None if cluster_gone else find_object)
    hint = (
        f"If it is gone for good, `eks-rocketmq destroy -s {stack} --cluster-gone` destroys the rest without asking "
        "it. Volumes that are still there then stay in AWS."
    )
    with _report_errors("for its volumes", hint), ExitStack() as undo:
        state = pulumi.export_state()
        plan = plan_teardown(state, cluster_gone=cluster_gone)
        if plan.empty:
            _out.print(f"Nothing to destroy: stack {stack} has no resources.")
            return
        _exit_if_protected(plan, stack)
        if keep:
            undo.callback(pulumi.replace_state, state)
            state = retain_namespaces(state)
            pulumi.replace_state(state)
            plan = plan_teardown(state)
        if cluster_gone:
            _print(f"The cluster is not asked. Its volumes stay in AWS; {_GUIDE} says how to find and delete them.")
            plan = replace(plan, first_targets=[], clusters=[])
        _exit_if_foreign_objects(plan, state, stack)
        _print(pulumi.plan_destroy())
        volumes = [(cluster, list_volumes(cluster.provider)) for cluster in plan.clusters]
        lost = classify_volumes(volumes, removes_driver=plan.removes_driver)
        _print_losses(lost, plan, stack)
        if not (yes or _confirm(f"Destroy stack {stack} and what is listed?", "destroy what is listed")):
            _out.print("Nothing was destroyed.")
            raise typer.Exit(1)
        undo.pop_all()
        if plan.first_targets:
            pulumi.destroy(plan.first_targets)
        _wait_for_volumes(plan, lost.deleted, timeout, stack)
        pulumi.destroy()


@contextmanager
def _report_errors(question: str, hint: str = "") -> Generator[None]:
    """Exit with a message if the engine rejects the command, or if AWS or the cluster does not answer.

    `question` is the lookup, such as `what exists`. `hint` has further sentences for a failed lookup.
    """
    try:
        yield
    except EngineError as error:
        _fail(str(error))
    except UnfinishedError as error:
        _fail(f"{error}. {hint}".rstrip())
    except _AWS_ERRORS as error:
        _fail(
            f"AWS cannot be asked {question}: {error}\n"
            "Check the credentials that the stack works with (aws:profile, or the environment) with `aws sts "
            f"get-caller-identity`, and run this again. {hint}".rstrip()
        )
    except _CLUSTER_ERRORS as error:
        _fail(
            f"The cluster cannot be asked {question}: {error}\n"
            "Check `kubectl get namespaces` with its kubeconfig, which takes the credentials of `aws sts "
            f"get-caller-identity`, and run this again. {hint}".rstrip()
        )


def _exit_if_blocked(blocked: Sequence[str]) -> None:
    """Exit before anything is imported. A partial import would leave a stack whose next preview fails."""
    if blocked:
        listed = "".join(f"\n  {reason}" for reason in blocked)
        _fail(
            f"Nothing was imported, because this must not be imported as it is planned:{listed}\nTo leave it alone, "
            "give the stack's own resource another name, or use what exists without managing it. In a stack file, set "
            "oidc.existing or ebsCsi.existing to true, or rocketmq.createNamespace to false."
        )


def _exit_if_protected(plan: Teardown, stack: str) -> None:
    if plan.protected:
        listed = "".join(f"\n  {line}" for line in plan.protected)
        _fail(
            f"Stack {stack} has protected resources, so nothing was deleted:{listed}\nTo delete them, set "
            "rocketmq.protectData to false (argument protect_data of RocketMq, for its sets and namespace) and "
            "cluster.deletionProtection to false (argument deletion_protection of EksCluster). Run "
            f"`pulumi up -s {stack}`, then this again. "
            "`pulumi state unprotect` lifts the protection of the engine alone."
        )


def _exit_if_foreign_objects(plan: Teardown, state: Mapping[str, Any], stack: str) -> None:
    """Exit if a namespace that would be deleted contains objects that the stack did not create."""
    found = [
        line
        for cluster in plan.clusters
        if cluster.owned_namespaces
        for line in find_foreign_objects(state, list_objects(cluster.provider, cluster.owned_namespaces))
    ]
    if found:
        _fail(
            f"The namespace of stack {stack} would be deleted with objects that the stack did not create, so nothing "
            "was deleted:\n"
            + "".join(f"  {line}\n" for line in found)
            + f"`eks-rocketmq destroy -s {stack} --keep-namespaces` destroys the stack and leaves the namespace with "
            "them, and the stack's own claims too. Or move them, or delete them yourself, and run this again."
        )


def _print_losses(lost: VolumeLosses, plan: Teardown, stack: str) -> None:
    driver = ", but the driver that serves them goes" if plan.removes_driver else ""
    for title, volumes in (
        (f"These volumes are deleted with stack {stack}, and what is on them is gone:", lost.deleted),
        ("These volumes stay, because their reclaim policy is Retain:", lost.retained),
        (f"These claims and their volumes stay, because their namespace stays{driver}:", lost.kept),
        ("These volumes of other workloads stay, but the driver that serves them goes:", lost.orphaned),
    ):
        if volumes:
            _print("\n".join([title, *(f"  {volume}" for volume in volumes)]))


def _wait_for_volumes(plan: Teardown, expected: Sequence[Volume], minutes: int, stack: str) -> None:
    """Wait until the driver has deleted the volumes, and show how many are left."""

    def list_remaining() -> list[tuple[ClaimedCluster, Volume]]:
        return [
            (cluster, volume)
            for cluster in plan.clusters
            for volume in select_awaited_volumes(
                list_volumes(cluster.provider), expected, removes_driver=plan.removes_driver
            )
        ]

    deadline = time.monotonic() + 60 * minutes
    shown = 0
    while volumes := list_remaining():
        if time.monotonic() > deadline:
            lines = [
                f"  {volume}\n      {get_last_warning(cluster.provider, volume.name) or volume.phase}"
                for cluster, volume in volumes
            ]
            _fail(
                f"After {minutes} minutes these volumes are still there, so their driver was not destroyed:\n"
                + "\n".join(lines)
                + "\nThe driver repeats its attempts. Remove the cause that it names, then run "
                f"`eks-rocketmq destroy -s {stack}` again. `pulumi destroy -s {stack}` does not wait for the volumes, "
                "and leaves them in AWS."
            )
        if len(volumes) != shown:
            shown = len(volumes)
            _print(f"Waiting for the driver to delete its volumes, {shown} to go")
        time.sleep(POLL_SECONDS)


def _print(text: str) -> None:
    """Print text without markup and line breaks."""
    _out.print(text, markup=False, highlight=False, soft_wrap=True)


def _recover(pulumi: PulumiCli, absent: Sequence[str], hint: str, kubernetes: KubernetesLookup | None) -> None:
    """Complete the interrupted operations of the state. A preview of a state without them would create resources twice.

    Args:
        absent: names of interrupted creates that made no resource, as the user has checked.
        hint: further sentences for the message if the command ends here.
        kubernetes: finds an object in a cluster; None if the cluster is gone.
    """

    def lookup(
        type_: str, inputs: Mapping[str, Any], provider: Mapping[str, Any], known: Collection[str]
    ) -> list[ExistingResource] | None:
        return find_interrupted_create(type_, inputs, provider, known, create_session, kubernetes)

    with _err.status("looking for what an interrupted update made, and waiting until AWS has finished it"):
        recovered = recover_state(pulumi.export_state(), lookup, absent)
    if not recovered.operation_count:
        return
    _print(
        f"An update of stack {pulumi.stack} was interrupted in the middle of {recovered.operation_count} operations."
    )
    if recovered.undetermined:
        listed = "".join(f"\n  {_format_urn(urn)}{_format_candidates(ids)}" for urn, ids in recovered.undetermined)
        _fail(
            f"It is unknown whether these were created:{listed}\nLook for each in AWS or in the cluster and delete "
            "what you find. Then run this again with --absent NAME for each. The state is as it was: a `pulumi up` "
            f"before that would create them a second time. {hint}"
        )
    for urn, id_ in recovered.created:
        _print(f"  imported     {_format_urn(urn)}\n      {id_}")
    for urn in recovered.absent:
        _print(f"  not created  {_format_urn(urn)}")
    pulumi.restore_state(recovered.state)


def _format_urn(urn: str) -> str:
    type_, name = urn.split("::")[-2:]
    return f"{name}  {type_.rsplit('$', 1)[-1]}"


def _format_candidates(ids: Sequence[str]) -> str:
    return f"\n      one of {', '.join(ids)}" if ids else ""


def _preview_adoption(pulumi: PulumiCli) -> Adoption:
    with tempfile.TemporaryDirectory() as folder, _err.status("planning, and asking AWS and the cluster what exists"):
        file = Path(folder) / "import.json"
        digest = pulumi.preview(file)
        project = yaml.safe_load((pulumi.directory / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        stack = pulumi.stack.rsplit("/", 1)[-1]
        plan = read_plan(digest, json.loads(file.read_text(encoding="utf-8")), stack, project)
        return plan_adoption(plan, create_session, find_object)


def _print_adoption(adoption: Adoption, stack: str) -> None:
    """Print two unbroken lines for each resource, so that ids can be searched and copied from a log."""
    _out.print(f"Exists already, and stack {stack} will manage it from now on:")
    for type_, name, id_ in adoption.existing:
        _out.print(f"  {name}  [dim]{type_}[/dim]\n      {id_}", soft_wrap=True, highlight=False)


def _confirm(question: str, action: str) -> bool:
    if not sys.stdin.isatty():
        _fail(f"there is no terminal to ask on; give --yes to {action}")
    return typer.confirm(question)


def _fail(message: str) -> None:
    _err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)
