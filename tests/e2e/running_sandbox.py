"""Interface of the end-to-end tests to a running sandbox."""

import json
import shutil
import subprocess
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox import incident, lifecycle
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import cgroups
from sandbox.cluster.kubectl import kubectl
from sandbox.cluster.netns import inside
from sandbox.engine import pulumi
from sandbox.layout import REGION, Node, SandboxInstance
from sandbox.messages.rocketmq_deployment import RocketMqDeployment
from sandbox.polling import wait_until
from sandbox.processes import in_netns
from sandbox.progress import Report

PROGRAM = Path(__file__).with_name("programs") / "rocketmq.py"


@dataclass(frozen=True)
class Sandbox:
    """Running sandbox and its tools."""

    instance: SandboxInstance
    tools: Toolchain
    report: Report

    def pulumi(self, *arguments: str, ok: bool = True) -> str:
        """Run `pulumi ARGUMENTS` and return its output. It must fail if `ok` is false."""
        result = pulumi.run(self.instance, self.tools, [*arguments, "--non-interactive"], capture=True)
        assert (result.code == 0) is ok, result.output
        return result.output

    def preview_steps(self, *arguments: str) -> "Plan":
        """Return the steps that `pulumi preview ARGUMENTS` plans."""
        return Plan(json.loads(self.pulumi("preview", *arguments, "--json"))["steps"])

    def changed(self, change: Callable[[dict[str, Any]], None], stack: str = "prod") -> tuple[str, str]:
        """Return arguments for a copy of the stack file whose `config` is modified by `change`."""
        return "--config-file", str(pulumi.change_stack_file(self.instance, change, stack))

    def original_claims_are_bound(self) -> bool:
        """Return whether the claims of the original team's brokers are bound."""
        return set(incident.claim_phases(self.instance, self.tools).values()) == {"Bound"}

    def adopt(self, stack: str = "prod") -> str:
        """Run `eks-rocketmq adopt -s STACK --yes` and return its output."""
        return self._eks_rocketmq("adopt", stack, ok=True)

    def destroy(self, *, ok: bool = True) -> str:
        """Run `eks-rocketmq destroy -s prod --yes` and return its output. It must fail if `ok` is false."""
        return self._eks_rocketmq("destroy", "prod", ok=ok)

    def _eks_rocketmq(self, command: str, stack: str, *, ok: bool) -> str:
        result = pulumi.execute(
            self.instance, self.tools, ["eks-rocketmq", command, "-s", stack, "--yes"], capture=True
        )
        assert (result.code == 0) is ok, result.output
        return result.output

    def diagnose(self) -> tuple[int, list[str]]:
        """Run `eks-rocketmq doctor`. Return its exit code, and the causes that it found, in order."""
        result = lifecycle.run_library(self.instance, self.tools, "doctor", ["--json"], capture=True)
        report = json.loads(result.output)
        links = [link for chain in report["chains"] for link in chain["links"]]
        return result.code, [link["finding"]["id"] for link in links if link["finding"]]

    def status(self, namespace: str = "rocketmq") -> tuple[int, dict[str, Any]]:
        """Run `eks-rocketmq status`. Return its exit code and its report."""
        options = ["--namespace", namespace, "--json"]
        result = lifecycle.run_library(self.instance, self.tools, "status", options, capture=True)
        return result.code, json.loads(result.output)

    def kill_up(self, *arguments: str, when: Callable[[], object], every: float = 0.5) -> None:
        """Start `pulumi up` and kill the engine as soon as `when`, called every `every` seconds, returns true."""
        pulumi.refresh_view(self.instance)
        environment = pulumi.build_environment(self.instance, self.tools)
        engine = subprocess.Popen(
            in_netns(self.instance.control_netns, ["pulumi", "up", "--yes", "--skip-preview", *arguments]),
            cwd=pulumi.get_view(self.instance),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            eventually(when, 120, "the engine is in the middle of its work", every=every)
            assert engine.poll() is None, "the engine had ended before it could be killed"
            # nsenter has replaced itself with pulumi, so this process is the engine.
            assert Path(f"/proc/{engine.pid}/comm").read_text().strip() == "pulumi"
        finally:
            engine.kill()
            engine.wait()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return kubectl(self.instance, self.tools, *arguments, stdin=stdin)

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects that `kubectl get ARGUMENTS` lists."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"]

    @property
    def rocketmq(self) -> RocketMqDeployment:
        return RocketMqDeployment(self.instance, self.tools)

    def stop(self, namespace: str = "rocketmq") -> None:
        """Scale the workloads of a RocketMQ to zero and wait until no pod is left. All other objects stay.

        A machine with two processors has room for one deployment at a time.
        """
        kept = self._replicas(namespace)
        if self.is_stopped(namespace):
            return
        # The original brokers may be in the same namespace.
        own = ("-n", namespace, "-l", "app.kubernetes.io/managed-by=pulumi")
        sets = [each for kind in ("statefulsets", "deployments") for each in self.objects(kind, *own)]
        kept.write_text(json.dumps({_scaled(each): each["spec"]["replicas"] for each in sets}))
        # Stop the brokers first: they hand over and notify the controllers.
        brokers = [_scaled(each) for each in sets if "broker" in each["metadata"]["name"]]
        for names in (brokers, [_scaled(each) for each in sets]):
            self.kubectl("-n", namespace, "scale", "--replicas=0", *names)
            chosen = f"{own[-1]},app=rocketmq-broker" if names is brokers else own[-1]
            eventually(lambda: not self.objects("pods", *own[:-1], chosen), 300, "its pods have ended")  # noqa: B023

    @property
    def sent_before_stop(self) -> Path:
        """File with the bodies of the messages that were sent before the last stop of the stack's RocketMQ."""
        return self.instance.root / "sent-before-stop.json"

    def is_stopped(self, namespace: str = "rocketmq") -> bool:
        """Return whether `stop` has scaled the workloads of a RocketMQ to zero."""
        return self._replicas(namespace).exists()

    def start(self, namespace: str = "rocketmq") -> None:
        """Restore the replicas of all workloads that `stop` has scaled, all at once, and wait until they are ready."""
        kept = self._replicas(namespace)
        if not self.is_stopped(namespace):
            return
        replicas = json.loads(kept.read_text())
        for name, count in replicas.items():
            self.kubectl("-n", namespace, "scale", f"--replicas={count}", name)
        for name in replicas:
            self.kubectl("-n", namespace, "rollout", "status", name, "--timeout=10m")
        kept.unlink()

    def _replicas(self, namespace: str) -> Path:
        return self.instance.root / f"stopped-{namespace}.json"

    def restarts(self, namespace: str) -> dict[str, int]:
        """Return the restart count of every container, by `pod/container`."""
        return {
            f"{pod['metadata']['name']}/{each['name']}": each["restartCount"]
            for pod in self.objects("pods", "-n", namespace)
            for each in pod["status"].get("containerStatuses", [])
        }

    def jvm(self, namespace: str, pod: str) -> int:
        """Return the process ID of the pod's JVM on this machine, found by the pod's control group."""
        uid = self.kubectl("-n", namespace, "get", "pod", pod, "-o=jsonpath={.metadata.uid}")
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (folder / "comm").read_text() == "java\n" and uid in (folder / "cgroup").read_text():
                    return int(folder.name)
        pytest.fail(f"no JVM of {pod} runs")

    @contextmanager
    def starved(self, node: Node, percent: int) -> Generator[None]:
        """Limit all pods of a node together to `percent` of one processor."""
        groups = [root / self.instance.node_cgroup(node).lstrip("/") / "kubepods" for root in cgroups.current_trees()]
        period = 100_000
        for file, limit, none in (
            ("cpu.cfs_quota_us", f"{period * percent // 100}", "-1"),
            ("cpu.max", f"{period * percent // 100} {period}", "max"),
        ):
            found = [group / file for group in groups if (group / file).exists()]
            if found:
                found[0].write_text(limit)
                try:
                    yield
                finally:
                    found[0].write_text(none)
                return
        pytest.fail(f"no control group of {node.name} limits processor time")

    def driver_volumes(self) -> list[dict[str, Any]]:
        """Return the EC2 volumes of the CSI driver, without the root volumes of the nodes."""
        with self.aws("ec2") as ec2:
            return ec2.describe_volumes(Filters=[{"Name": "tag:ebs.csi.aws.com/cluster", "Values": ["true"]}])[
                "Volumes"
            ]

    @contextmanager
    def aws(self, service: str, keys: Mapping[str, str] | None = None) -> Generator[Any]:
        """Yield a boto3 client with the stack's credentials or with `keys`. It works within the block only."""
        environment = {**pulumi.build_environment(self.instance, self.tools), **(keys or {})}
        with inside(self.instance.control_netns):
            yield boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.instance.aws_endpoint,
                aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            )


@dataclass(frozen=True)
class Program:
    """`programs/rocketmq.py` in its own folder and with its own stack: a second RocketMQ beside that of prod."""

    sandbox: Sandbox
    name: str

    @property
    def folder(self) -> Path:
        return self.sandbox.instance.root / self.name

    @property
    def settings(self) -> Path:
        """Return the path of the JSON file that the program reads."""
        return self.folder / "settings.json"

    def prepare(self, settings: Mapping[str, Any]) -> None:
        """Write the project and its settings, and select its stack."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text(pulumi.render_project(self.name))
        shutil.copy(PROGRAM, self.folder / "__main__.py")
        self.settings.write_text(json.dumps(settings))
        self.pulumi("stack", "select", "--create", self.name)

    def pulumi(self, *arguments: str, ok: bool = True) -> str:
        """Run `pulumi ARGUMENTS` and return its output. It must fail if `ok` is false."""
        result = pulumi.run(
            self.sandbox.instance,
            self.sandbox.tools,
            ["-C", str(self.folder), *arguments, "--non-interactive"],
            capture=True,
            extra={"PULUMI_STACK": self.name, "SETTINGS": str(self.settings)},
        )
        assert (result.code == 0) is ok, result.output
        return result.output

    def change(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Modify the arguments of `RocketMq` with `change`, for the next `up`."""
        settings = json.loads(self.settings.read_text())
        change(settings["rocketmq"])
        self.settings.write_text(json.dumps(settings))

    def up(self) -> str:
        """Deploy the program and return the output."""
        return self.pulumi("up", "--yes", "--skip-preview")

    def remove(self) -> None:
        """Destroy the resources of the program and remove its stack."""
        self.pulumi("destroy", "--yes", "--skip-preview")
        self.pulumi("stack", "rm", "--yes")


@dataclass(frozen=True)
class Plan:
    """Steps of a preview."""

    steps: list[dict[str, Any]]

    def operations(self, resource_type: str = "") -> set[str]:
        """Return the operations on resources of `resource_type`. Without it, return all operations except `same`."""
        if not resource_type:
            return {step["op"] for step in self.steps} - {"same"}
        return {step["op"] for step in self.steps if step["urn"].split("::")[2].split("$")[-1] == resource_type}

    def changed(self) -> dict[str, str]:
        """Return the operation of every step that changes a resource, by `type::name`."""
        return {
            "::".join([step["urn"].split("::")[2].split("$")[-1], step["urn"].split("::")[3]]): step["op"]
            for step in self.steps
            if step["op"] not in {"same", "read"}
        }


def _scaled(workload: Mapping[str, Any]) -> str:
    """Return the `kind/name` of a workload for `kubectl`."""
    return f"{workload['kind'].lower()}/{workload['metadata']['name']}"


def eventually(probe: Callable[[], Any], seconds: float, what: str, *, every: float = 0.5) -> Any:
    """Return the first true result of `probe`. Fail with the message `what` if there is none within `seconds`."""
    return wait_until(probe, seconds, every=every) or pytest.fail(f"not within {seconds:.0f} s: {what}")
