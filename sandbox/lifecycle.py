"""Start and removal of a sandbox, step by step. Each step takes over what an earlier run left."""

import os
import shutil
from collections.abc import Sequence

from sandbox import cluster, ebs_csi, machine_checks, processes
from sandbox.aws import aws_processes as aws
from sandbox.cache import toolchain as cache
from sandbox.cache.toolchain import Toolchain
from sandbox.engine import pulumi as engines
from sandbox.layout import CLUSTER, REGION, SandboxInstance
from sandbox.messages.rocketmq_deployment import DeliveryError, RocketMqDeployment
from sandbox.progress import Report

MESSAGES = 10


class NotRunningError(Exception):
    """The command needs a running sandbox."""


class RunningError(Exception):
    """The command needs a stopped sandbox."""


def start_platform(instance: SandboxInstance, report: Report) -> Toolchain:
    """Start everything but the stack: AWS account, cluster `prod`, EBS CSI addon, engine."""
    machine_checks.check_machine(instance)
    tools = cache.ensure(report)
    cluster.start(instance, tools, report)
    aws.start(instance, tools, report)
    ebs_csi.start(instance, tools, report)
    start_engine(instance, tools, report)
    return tools


def start_engine(instance: SandboxInstance, tools: Toolchain, report: Report) -> None:
    """Start the engine's providers and create the stack's state."""
    with report.step("Pulumi engine and providers"):
        engines.start_providers(instance, tools, report)
        engines.ensure_stack(instance, tools)


def adopt(instance: SandboxInstance, tools: Toolchain, report: Report) -> None:
    """Import existing resources into the stack. Do nothing when there are none left."""
    with report.step("adopt existing resources", shows_output=True):
        _succeed(instance, tools, ["eks-rocketmq", "adopt", "-s", engines.STACK, "--yes"])


def run_library(
    instance: SandboxInstance, tools: Toolchain, command: str, options: Sequence[str] = (), *, capture: bool = False
) -> engines.Result:
    """Run a command of `eks-rocketmq` that needs the cluster, with further options. See `engines.execute`."""
    # The kubeconfig of the sandbox contains neither cluster nor region.
    argv = ["eks-rocketmq", command, "--cluster", CLUSTER, "--region", REGION, *options]
    return engines.execute(instance, tools, argv, capture=capture)


def deploy(instance: SandboxInstance, tools: Toolchain, report: Report) -> None:
    """Adopt, then run `pulumi up` of the unmodified prod stack."""
    adopt(instance, tools, report)
    with report.step(f"pulumi up -s {engines.STACK}", shows_output=True):
        _succeed(instance, tools, ["pulumi", "up", "-s", engines.STACK, "--yes", "--skip-preview"])


def verify_messages(instance: SandboxInstance, tools: Toolchain, report: Report) -> None:
    """Send ten messages through the proxy and receive them.

    Raises DeliveryError when one is not received.
    """
    deployment = RocketMqDeployment(instance, tools)
    with report.step(f"{MESSAGES} messages through the proxy"):
        deployment.ensure_topic()
        # The pid distinguishes this run's messages from those of an earlier run.
        run = f"hello-{os.getpid()}"
        sent = deployment.send(MESSAGES, run)
        received = deployment.receive(run, MESSAGES)
    missing = sorted(set(sent) - set(received))
    if missing:
        raise DeliveryError(f"sent and acknowledged, but not received: {', '.join(missing)}")


def tools_if_running(instance: SandboxInstance, report: Report) -> Toolchain | None:
    """Return the tools of a sandbox whose API server runs, else None."""
    return cache.ensure(report) if processes.is_alive(instance, "kube-apiserver") else None


def require_running(instance: SandboxInstance, report: Report) -> Toolchain:
    """Return the tools of a running sandbox, or raise NotRunningError."""
    tools = tools_if_running(instance, report)
    if tools is None:
        raise NotRunningError(f"the sandbox {instance.name!r} is not running; `make up` starts it")
    return tools


def require_all_down() -> None:
    """Raise RunningError while any sandbox of this machine runs: its programs come from the cache."""
    for folder in SandboxInstance().root.parent.glob("*/"):
        instance = SandboxInstance(folder.name)
        if processes.is_any_alive(instance):
            raise RunningError(f"the sandbox {instance.name!r} runs on programs of the cache; `make down` first")


def down(instance: SandboxInstance, report: Report) -> None:
    """Remove the sandbox from this machine. The cache stays."""
    with report.step(f"remove the sandbox {instance.name!r}"):
        engines.stop(instance)
        ebs_csi.stop(instance)
        aws.stop(instance)
        cluster.stop(instance)
        shutil.rmtree(instance.root, ignore_errors=True)


def shell(instance: SandboxInstance, tools: Toolchain) -> int:
    """Open an interactive shell in the control namespace and return its exit code."""
    # A copy: `aws eks update-kubeconfig` writes into the file that KUBECONFIG names.
    own = instance.root / "shell.kubeconfig"
    if not own.exists():
        shutil.copy(instance.admin_kubeconfig, own)
    return engines.execute(instance, tools, [os.environ.get("SHELL", "/bin/bash")], extra={"KUBECONFIG": str(own)}).code


def _succeed(instance: SandboxInstance, tools: Toolchain, argv: Sequence[str]) -> None:
    code = engines.execute(instance, tools, argv).code
    if code:
        raise engines.PulumiError(f"{' '.join(argv)} ended with exit code {code}")
