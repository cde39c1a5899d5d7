"""The order in which a sandbox comes up and goes down. Every step takes over what an earlier run left."""

import os
import shutil
from collections.abc import Sequence

from sandbox import cluster, doctor, ebs_csi, processes
from sandbox.aws import lifecycle as aws
from sandbox.cache import toolchain as cache
from sandbox.cache.toolchain import Toolchain
from sandbox.engine import pulumi as engines
from sandbox.messages.deliver import DeliveryError, Deployment
from sandbox.place import Place
from sandbox.progress import Report

MESSAGES = 10


class NotRunningError(Exception):
    """The command needs a sandbox that runs."""


class RunningError(Exception):
    """The command needs a sandbox that does not run."""


def platform(place: Place, report: Report) -> Toolchain:
    """The machine as the original team had it: AWS account, cluster `prod`, the addon whose role lets nobody in."""
    doctor.require(place)
    tools = cache.ensure(report)
    cluster.start(place, tools, report)
    aws.start(place, tools, report)
    ebs_csi.start(place, tools, report)
    engine(place, tools, report)
    return tools


def engine(place: Place, tools: Toolchain, report: Report) -> None:
    """The engine, its providers and the stack's own state."""
    with report.step("Pulumi engine and providers"):
        engines.start_providers(place, tools, report)
        engines.ensure_stack(place, tools)


def adopt(place: Place, tools: Toolchain, report: Report) -> None:
    """Import once what exists; does nothing when nothing is left to adopt."""
    with report.step("adopt what exists", shows_output=True):
        _succeed(place, tools, ["eks-rocketmq", "adopt", "-s", engines.STACK, "--yes"])


def deploy(place: Place, tools: Toolchain, report: Report) -> None:
    """Adoption and `pulumi up` of the unmodified prod stack."""
    adopt(place, tools, report)
    with report.step(f"pulumi up -s {engines.STACK}", shows_output=True):
        _succeed(place, tools, ["pulumi", "up", "-s", engines.STACK, "--yes", "--skip-preview"])


def prove(place: Place, tools: Toolchain, report: Report) -> None:
    """Ten messages through the proxy and back.

    Raises DeliveryError when one does not come back.
    """
    deployment = Deployment(place, tools)
    with report.step(f"{MESSAGES} messages through the proxy"):
        deployment.ensure_topic()
        # The pid tells this run's messages from those of an earlier run.
        run = f"hello-{os.getpid()}"
        sent = deployment.send(MESSAGES, run)
        received = deployment.receive(run, MESSAGES)
    missing = sorted(set(sent) - set(received))
    if missing:
        raise DeliveryError(f"sent and acknowledged, but not received: {', '.join(missing)}")


def tools_if_running(place: Place, report: Report) -> Toolchain | None:
    """The tools of a sandbox whose API server runs, None when it does not."""
    return cache.ensure(report) if processes.alive(place, "kube-apiserver") else None


def running(place: Place, report: Report) -> Toolchain:
    """The tools of a sandbox that is up.

    Raises NotRunningError when it is not.
    """
    tools = tools_if_running(place, report)
    if tools is None:
        raise NotRunningError(f"the sandbox {place.name!r} is not running; `make up` starts it")
    return tools


def require_down(place: Place) -> None:
    """Raises RunningError while the sandbox runs: its programs come from the cache."""
    if any(processes.alive(place, name) for name in processes.names(place)):
        raise RunningError(f"the sandbox {place.name!r} runs on programs of the cache; `make down` first")


def require_all_down() -> None:
    """The same for every sandbox of this machine: each has a folder beside the others."""
    for folder in Place().root.parent.glob("*/"):
        require_down(Place(folder.name))


def down(place: Place, report: Report) -> None:
    """Remove everything that the sandbox has on this machine but the cache."""
    with report.step(f"remove the sandbox {place.name!r}"):
        engines.stop(place)
        ebs_csi.stop(place)
        aws.stop(place)
        cluster.stop(place)
        shutil.rmtree(place.root, ignore_errors=True)


def shell(place: Place, tools: Toolchain) -> int:
    """An interactive shell in the control namespace; gives its exit code."""
    # `aws eks update-kubeconfig` writes into the file that KUBECONFIG names; the sandbox's own must stay as it is.
    own = place.root / "shell.kubeconfig"
    if not own.exists():
        shutil.copy(place.admin_kubeconfig, own)
    return engines.execute(place, tools, [os.environ.get("SHELL", "/bin/bash")], extra={"KUBECONFIG": str(own)}).code


def _succeed(place: Place, tools: Toolchain, argv: Sequence[str]) -> None:
    code = engines.execute(place, tools, argv).code
    if code:
        raise engines.PulumiError(f"{' '.join(argv)} ended with exit code {code}")
