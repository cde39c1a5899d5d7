"""Runs the `pulumi` command for `eks-rocketmq`."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE


class EngineError(Exception):
    """`pulumi` is missing or refused; the message holds its own words and what to do."""


@dataclass(frozen=True)
class PulumiCli:
    """The `pulumi` command for one stack and project folder."""

    stack: str
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for every command, beside those of this process."""

    def preview(self, import_file: Path) -> Mapping[str, Any]:
        """Plans as if nothing existed outside of the stack, writes `import_file`, and returns the plan.

        Raises:
            EngineError: with the diagnostics of the engine.
        """
        # What stays the same is in the plan as well: the providers that the stack has already say where to look.
        arguments = ["preview", "--json", "--show-sames", "--import-file", str(import_file)]
        done = self._run(arguments, capture=True, environment={SKIP_VARIABLE: "1"})
        digest = _parse_json_object(done.stdout)
        if done.returncode != 0:
            words = [
                entry["message"].strip() for entry in digest.get("diagnostics", []) if entry["severity"] == "error"
            ]
            msg = f"pulumi preview -s {self.stack} failed:\n" + ("\n".join(words) or done.stderr.strip() or done.stdout)
            raise EngineError(msg)
        return digest

    def import_resources(self, import_file: Path) -> None:
        """Imports what the file names, protected until the next update, which protects what the program says.

        The engine refuses to replace only what was protected before and still is: imported unprotected, a set that
        holds messages would be replaced by the next update if anything in it asked for that.

        Raises:
            EngineError: when the engine refuses; it has shown why.
        """
        options = ["--yes", "--skip-preview", "--generate-code=false", "--protect=true"]
        self._run_visibly(["import", "--file", str(import_file), *options])

    def export_state(self) -> Mapping[str, Any]:
        """The stack's state, secrets left encrypted.

        Raises:
            EngineError: with the words of the engine.
        """
        done = self._run(["stack", "export"], capture=True)
        if done.returncode != 0:
            msg = f"pulumi stack export -s {self.stack} failed:\n{done.stderr.strip()}"
            raise EngineError(msg)
        return _parse_json_object(done.stdout)

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Puts a state in place of the stack's own and reads every resource of it again.

        Raises:
            EngineError: when the engine refuses; it has shown why.
        """
        self.replace_state(state)
        self._run_visibly(["refresh", "--yes", "--skip-preview"])

    def replace_state(self, state: Mapping[str, Any]) -> None:
        """Puts a state in place of the stack's own.

        Raises:
            EngineError: when the engine refuses; it has shown why.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(state), encoding="utf-8")
            self._run_visibly(["stack", "import", "--file", str(file)])

    def preview_diff(self) -> str:
        """What the next update will do, as `pulumi preview --diff` prints it.

        Raises:
            EngineError: with the output of the engine.
        """
        done = self._run(["preview", "--diff"], capture=True)
        if done.returncode != 0:
            msg = f"pulumi preview -s {self.stack} failed:\n{done.stdout}{done.stderr}"
            raise EngineError(msg)
        return done.stdout

    def plan_destroy(self) -> str:
        """What destroying the whole stack would delete, as `pulumi destroy --preview-only` prints it.

        Raises:
            EngineError: with the output of the engine, which refuses when anything is protected.
        """
        done = self._run(["destroy", "--preview-only"], capture=True)
        if done.returncode != 0:
            msg = f"pulumi destroy -s {self.stack} would fail, so nothing was deleted:\n{done.stdout}{done.stderr}"
            raise EngineError(msg)
        return done.stdout

    def destroy(self, targets: Sequence[str] = ()) -> None:
        """Destroys the targets with whatever is below them or depends on them; without targets the whole stack.

        Raises:
            EngineError: when the engine refuses; it has shown why.
        """
        chosen = [word for urn in targets for word in ("--target", urn)]
        dependents = ["--target-dependents"] if targets else []
        self._run_visibly(["destroy", "--yes", "--skip-preview", *chosen, *dependents])

    def _run_visibly(self, arguments: Sequence[str]) -> None:
        if self._run(arguments, capture=False).returncode != 0:
            msg = f"pulumi {arguments[0]} -s {self.stack} failed; its own message stands above"
            raise EngineError(msg)

    def _run(
        self, arguments: Sequence[str], *, capture: bool, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        program = shutil.which("pulumi")
        if program is None:
            msg = "pulumi is not on PATH; install the Pulumi CLI (https://www.pulumi.com/docs/install/) and run again"
            raise EngineError(msg)
        return subprocess.run(  # noqa: S603 - the program that PATH names, with arguments of our own
            [program, *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.directory,
            env={**os.environ, **self.environment, **(environment or {})},
            capture_output=capture,
            text=True,
            check=False,
        )


def _parse_json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
