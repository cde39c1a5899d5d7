"""Runner of the `pulumi` command."""

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
    """The `pulumi` command is missing or failed. The message contains its output and what to do."""


@dataclass(frozen=True)
class PulumiCli:
    """`pulumi` command for one stack and project folder."""

    stack: str
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for every command, in addition to those of this process."""

    def preview(self, import_file: Path) -> Mapping[str, Any]:
        """Plan as if no resource existed outside of the stack, write `import_file`, and return the plan.

        Raise EngineError with the diagnostics of the engine if the preview fails.
        """
        # The plan includes unchanged resources, because lookups need the providers that the stack has already.
        arguments = ["preview", "--json", "--show-sames", "--import-file", str(import_file)]
        done = self._run(arguments, capture=True, environment={SKIP_VARIABLE: "1"})
        digest = _parse_json_object(done.stdout)
        if done.returncode != 0:
            errors = [
                entry["message"].strip() for entry in digest.get("diagnostics", []) if entry["severity"] == "error"
            ]
            msg = f"pulumi preview -s {self.stack} failed:\n" + (
                "\n".join(errors) or done.stderr.strip() or done.stdout
            )
            raise EngineError(msg)
        return digest

    def import_resources(self, import_file: Path) -> None:
        """Import the resources of a file and protect them until the next update sets the program's value.

        The engine refuses to replace a resource only if it is protected before and after the update. An unprotected
        StatefulSet with messages could be replaced by the next update. Raise EngineError if the import fails. The
        engine has then printed the reason.
        """
        options = ["--yes", "--skip-preview", "--generate-code=false", "--protect=true"]
        self._run_visibly(["import", "--file", str(import_file), *options])

    def export_state(self) -> Mapping[str, Any]:
        """Return the state of the stack. Secrets stay encrypted.

        Raise EngineError with the output of the engine if the command fails.
        """
        done = self._run(["stack", "export"], capture=True)
        if done.returncode != 0:
            msg = f"pulumi stack export -s {self.stack} failed:\n{done.stderr.strip()}"
            raise EngineError(msg)
        return _parse_json_object(done.stdout)

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Replace the state of the stack, and refresh all its resources.

        Raise EngineError if a command fails. The engine has then printed the reason.
        """
        self.replace_state(state)
        self._run_visibly(["refresh", "--yes", "--skip-preview"])

    def replace_state(self, state: Mapping[str, Any]) -> None:
        """Replace the state of the stack.

        Raise EngineError if the import fails. The engine has then printed the reason.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(state), encoding="utf-8")
            self._run_visibly(["stack", "import", "--file", str(file)])

    def preview_diff(self) -> str:
        """Return the changes of the next update, as `pulumi preview --diff` prints them.

        Raise EngineError with the output of the engine if the command fails.
        """
        return self._capture(["preview", "--diff"], f"pulumi preview -s {self.stack} failed")

    def plan_destroy(self) -> str:
        """Return the deletions of a destroy of the whole stack, as `pulumi destroy --preview-only` prints them.

        Raise EngineError with the output of the engine if it would fail, for example because of a protected resource.
        """
        failure = f"pulumi destroy -s {self.stack} would fail, so nothing was deleted"
        return self._capture(["destroy", "--preview-only"], failure)

    def destroy(self, targets: Sequence[str] = ()) -> None:
        """Destroy the targets with their children and dependents; without targets the whole stack.

        Raise EngineError if the destroy fails. The engine has then printed the reason.
        """
        chosen = [word for urn in targets for word in ("--target", urn)]
        dependents = ["--target-dependents"] if targets else []
        self._run_visibly(["destroy", "--yes", "--skip-preview", *chosen, *dependents])

    def _capture(self, arguments: Sequence[str], failure: str) -> str:
        done = self._run(arguments, capture=True)
        if done.returncode != 0:
            msg = f"{failure}:\n{done.stdout}{done.stderr}"
            raise EngineError(msg)
        return done.stdout

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
        return subprocess.run(  # noqa: S603 - runs `pulumi` from PATH with fixed arguments
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
