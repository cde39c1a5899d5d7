"""Pull request comment from a real preview: it shows the changes and no secrets."""

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import pulumi
from sandbox.processes import in_netns
from tests.e2e.running_sandbox import Sandbox

USERS = [
    {"name": "orders", "permissions": [{"resources": ["Topic:orders"], "actions": ["Pub"]}]},
    {"name": "billing", "permissions": [{"resources": ["Topic:orders"], "actions": ["Sub"]}]},
]
CANARIES = ["canary-Orders1", "canary-Billing2"]


def comment(sandbox: Sandbox, folder: Path, passwords: list[str]) -> str:
    """Return the comment for a change that enables access control with these encrypted passwords."""
    _, file = sandbox.changed(_turn_access_on)
    for number, password in enumerate(passwords):
        path = f"eks-rocketmq:access.users[{number}].password"
        sandbox.pulumi("config", "set", "--secret", "--path", path, password, "-s", "prod", "--config-file", file)
    for entry in pulumi.get_view(sandbox.instance).iterdir():
        (folder / entry.name).symlink_to(entry.resolve())
    (folder / "Pulumi.prod.yaml").unlink()
    (folder / "Pulumi.prod.yaml").write_text(Path(file).read_text())
    written = folder / "comment.md"
    preview = [sys.executable, "-m", "scripts.pipeline", "preview", "--stack", "prod", "--comment", str(written)]
    done = subprocess.run(
        in_netns(sandbox.instance.control_netns, preview),
        cwd=folder,
        env=pulumi.build_environment(sandbox.instance, sandbox.tools),
        capture_output=True,
        text=True,
        check=False,
    )
    text = written.read_text()
    for printed in (text, done.stdout, done.stderr):
        for password in passwords:
            assert password not in printed
            assert base64.b64encode(password.encode()).decode() not in printed
    return text


def _turn_access_on(config: dict[str, Any]) -> None:
    config["eks-rocketmq:access"] = {"users": USERS}
    config["eks-rocketmq:rocketmq"]["brokerGroups"][0]["cpu"] = "600m"


def test_comment_lists_changes_and_no_secrets(stopped: Sandbox, tmp_path: Path) -> None:
    lines = comment(stopped, tmp_path, CANARIES).splitlines()
    assert lines[1].startswith("### `pulumi preview -s prod`: ")
    rows = [line for line in lines if line.startswith("| ")]
    assert any("`rocketmq-broker-a-set`" in row and "spec.template" in row for row in rows)
    # A ConfigMap gets a new name from its hash. No resource with data is replaced or deleted.
    assert any(row.startswith("| new version | `kubernetes:core/v1:ConfigMap`") for row in rows)
    assert not any("⚠️" in row for row in rows)


@pytest.mark.parametrize("wrong", ["kz7qw xj1vf", "kz7qwxj1v" * 8], ids=["blank", "long"])
def test_error_about_a_secret_does_not_show_its_value(wrong: str, stopped: Sandbox, tmp_path: Path) -> None:
    text = comment(stopped, tmp_path, [wrong])
    assert "**failed** with exit code" in text
    assert "access.users[" in text
