"""The generated TypeScript SDK of the package, compiled, with a program that uses it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from eks_rocketmq.plugin.component_provider import NAMESPACE
from sandbox.cache.nodejs import Nodejs
from sandbox.layout import REPOSITORY

COMPONENTS = REPOSITORY / "components"


def typescript(program: Path, folder: Path, nodejs: Nodejs, pulumi: Callable[..., str]) -> Path:
    """Copy `program` to `folder` and install its packages as `pulumi install` does.

    Packages of the registry are links into the cache. `pulumi` runs a pulumi command in a folder.
    """
    shutil.copytree(program, folder, ignore=shutil.ignore_patterns("node_modules", "sdks"))
    project = folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../components", str(COMPONENTS)))
    sdk = folder / "sdk"
    pulumi(folder, "package", "gen-sdk", str(COMPONENTS), "--language", "nodejs", "--local", "--out", str(sdk))
    modules = folder / "node_modules"
    (modules / "@pulumi").mkdir(parents=True)
    for package in nodejs.modules.iterdir():
        if package.name != "@pulumi":
            (modules / package.name).symlink_to(package)
    for package in (nodejs.modules / "@pulumi").iterdir():
        (modules / "@pulumi" / package.name).symlink_to(package)
    generated = modules / f"@{NAMESPACE}" / "eks-rocketmq"
    generated.parent.mkdir()
    (sdk / "nodejs").rename(generated)
    compile_(nodejs, generated)
    shutil.copy(generated / "package.json", generated / "bin")
    compile_(nodejs, folder)
    return folder


def compile_(nodejs: Nodejs, folder: Path) -> None:
    """Type-check a folder with a `tsconfig.json`, and compile it if the file enables that."""
    done = subprocess.run(
        [nodejs.bin / "node", nodejs.modules / "typescript/bin/tsc", "--types", "node"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
