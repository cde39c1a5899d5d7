"""Previews of few and many broker groups, and of an empty program, for `make bench`."""

import functools
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.kubectl import kubectl
from sandbox.engine import pulumi as engines
from sandbox.layout import REPOSITORY, SandboxInstance

GROUPS = (1, 10, 50, 100)
STACK = "bench"
_STOP_SECONDS = 300
_PROJECT = f"{engines.PROJECT}:"
_PLANNED = re.compile(r"^ +\+ (\d+) to create$", re.MULTILINE)


@dataclass(frozen=True)
class BenchPreviews:
    """Repeatable previews. They create no resources."""

    instance: SandboxInstance
    tools: Toolchain

    @property
    def _folder(self) -> Path:
        return self.instance.root / "bench"

    def prepare(self) -> None:
        """Stop RocketMQ, and create an empty project and a stack for each of the two projects.

        The machine of a preview runs no brokers. Here they would use a third of both processors.
        """
        run = functools.partial(kubectl, self.instance, self.tools, "-n", "rocketmq")
        run("scale", "statefulsets,deployments", "--all", "--replicas=0")
        run("wait", "--for=delete", "pods", "--all", f"--timeout={_STOP_SECONDS}s")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        (self._folder / "Pulumi.yaml").write_text(engines.render_project("nothing"))
        (self._folder / "__main__.py").write_text("import pulumi\n")
        engines.ensure_stack(self.instance, self.tools, STACK)
        self._run(["-C", str(self._folder), "stack", "init", STACK])

    def empty(self) -> None:
        """Preview the empty program."""
        self._run(["-C", str(self._folder), "preview", "-s", STACK])

    def groups(self, number: int) -> int:
        """Preview the prod stack with this number of broker groups. Return the number of planned resources."""
        output = self._run(["preview", "-s", STACK, "--config-file", str(self._settings(number))])
        planned = _PLANNED.search(output)
        if planned is None:
            raise engines.PulumiError(f"a preview with {number} broker groups plans nothing:\n{output}")
        return int(planned[1])

    def _settings(self, number: int) -> Path:
        """Write the prod stack's configuration with more groups, a new namespace and the cluster's own driver."""
        stack = yaml.safe_load((REPOSITORY / f"Pulumi.{engines.STACK}.yaml").read_text())
        rocketmq = stack["config"][f"{_PROJECT}rocketmq"]
        (group,) = rocketmq["brokerGroups"]
        rocketmq["brokerGroups"] = [{**group, "name": f"broker-{index}"} for index in range(number)]
        rocketmq["namespace"] = STACK
        stack["config"] |= {f"{_PROJECT}oidc": {"existing": True}, f"{_PROJECT}ebsCsi": {"existing": True}}
        path = self._folder / f"{number}.yaml"
        path.write_text(engines.with_salt(yaml.safe_dump(stack), engines.salt(self.instance, STACK)))
        return path

    def _run(self, arguments: list[str]) -> str:
        done = engines.run(self.instance, self.tools, [*arguments, "--non-interactive"], capture=True)
        if done.code:
            raise engines.PulumiError(f"pulumi {' '.join(arguments)} ended with {done.code}:\n{done.output}")
        return done.output
