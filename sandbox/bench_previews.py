"""How long `pulumi preview` takes with few and with many broker groups, over a program that does nothing."""

import functools
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.client import kubectl
from sandbox.engine import pulumi as engines
from sandbox.place import REPOSITORY, Place

GROUPS = (1, 10, 50, 100)
STACK = "bench"
_STOP_SECONDS = 300
_PROJECT = f"{engines.PROJECT}:"
_PLANNED = re.compile(r"^ +\+ (\d+) to create$", re.MULTILINE)


@dataclass(frozen=True)
class Previews:
    """Commands that can be repeated: nothing is ever made."""

    place: Place
    tools: Toolchain

    @property
    def _folder(self) -> Path:
        return self.place.root / "bench"

    def at_rest(self, namespace: str) -> None:
        """Stop RocketMQ's pods: who previews runs no brokers, and here they would take a third of both processors."""
        run = functools.partial(kubectl, self.place, self.tools, "-n", namespace)
        run("scale", "statefulsets,deployments", "--all", "--replicas=0")
        run("wait", "--for=delete", "pods", "--all", f"--timeout={_STOP_SECONDS}s")

    def prepare(self) -> None:
        """A project that does nothing, and a stack of its own for each of the two projects."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        (self._folder / "Pulumi.yaml").write_text(engines.project("nothing"))
        (self._folder / "__main__.py").write_text("import pulumi\n")
        engines.ensure_stack(self.place, self.tools, STACK)
        self._run(["-C", str(self._folder), "stack", "init", STACK])

    def nothing(self) -> None:
        """Preview the program that does nothing."""
        self._run(["-C", str(self._folder), "preview", "-s", STACK])

    def groups(self, number: int) -> int:
        """Preview the prod stack with so many broker groups; returns how many resources are planned."""
        output = self._run(["preview", "-s", STACK, "--config-file", str(self._settings(number))])
        planned = _PLANNED.search(output)
        if planned is None:
            raise engines.PulumiError(f"a preview with {number} broker groups plans nothing:\n{output}")
        return int(planned[1])

    def _settings(self, number: int) -> Path:
        """The prod stack's settings with more groups, in a namespace that nobody has; the cluster's own driver."""
        stack = yaml.safe_load((REPOSITORY / f"Pulumi.{engines.STACK}.yaml").read_text())
        (group,) = stack["config"][f"{_PROJECT}brokerGroups"]
        stack["config"] |= {
            f"{_PROJECT}brokerGroups": [{**group, "name": f"broker-{index}"} for index in range(number)],
            f"{_PROJECT}namespace": STACK,
            f"{_PROJECT}oidcProvider": "existing",
            f"{_PROJECT}ebsCsiDriver": "existing",
        }
        del stack["config"][f"{_PROJECT}ebsCsiRoleName"]
        path = self._folder / f"{number}.yaml"
        path.write_text(engines.with_salt(yaml.safe_dump(stack), engines.salt(self.place, STACK)))
        return path

    def _run(self, arguments: list[str]) -> str:
        done = engines.run(self.place, self.tools, [*arguments, "--non-interactive"], capture=True)
        if done.code:
            raise engines.PulumiError(f"pulumi {' '.join(arguments)} ended with {done.code}:\n{done.output}")
        return done.output
