"""Go tests, vet and formatting of the sandbox's EBS CSI driver, with its pinned modules."""

import os
import subprocess
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[2] / "sandbox" / "toolchain" / "ebs-csi"


@pytest.mark.parametrize("command", [["go", "vet", "-mod=readonly", "./..."], ["go", "test", "-mod=readonly", "./..."]])
def test_driver_passes_vet_and_its_tests(command: list[str]) -> None:
    # As the driver is built, so that Go does not compile its modules again.
    environment = {**os.environ, "CGO_ENABLED": "0"}
    done = subprocess.run(command, cwd=DRIVER, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_driver_is_formatted() -> None:
    done = subprocess.run(["gofmt", "-l", "."], cwd=DRIVER, capture_output=True, text=True, check=True)
    assert done.stdout == ""
