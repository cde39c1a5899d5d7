"""Programs built from pinned Go modules: `toolchain/<name>` has go.mod and go.sum, and main.go for our programs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cache.build_command import BuildProgress, CacheError, run
from sandbox.cache.entry import Entry, digest_tree
from sandbox.layout import REPOSITORY

TOOLCHAIN = REPOSITORY / "sandbox" / "toolchain"
MINIMUM_GO = (1, 26)
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True)
class Program:
    """A binary. `package` is relative to its folder; run with `proof`, it must print `expected`."""

    name: str
    title: str
    package: str = "."
    variables: Mapping[str, str] = field(default_factory=dict)  # set at link time, by full name
    tags: tuple[str, ...] = ()
    cgo: bool = False
    proof: tuple[str, ...] = ()
    expected: str = ""

    @property
    def source(self) -> Path:
        return TOOLCHAIN / self.name


def entry(program: Program) -> Entry:
    """Return the entry with the binary `<name>`."""
    return Entry(
        name=program.name,
        title=program.title,
        inputs={
            "source": digest_tree(program.source, _counts),
            "arguments": " ".join(_build_arguments(program)),
            "cgo": str(program.cgo),
        },
        build=lambda folder, progress: _build(program, folder, progress),
        verify=lambda folder: _verify(program, folder),
    )


def is_new_enough(printed: str) -> bool:
    """Return whether a version that `go env GOVERSION` printed, such as `go1.25.3`, can build the modules."""
    numbers = printed.strip().removeprefix("go").split("-")[0].split("rc")[0].split(".")
    try:
        return tuple(int(number) for number in numbers[:2]) >= MINIMUM_GO
    except ValueError:
        return True  # a development build of Go names a commit


def check_version(printed: str) -> None:
    """Raise CacheError when `go env GOVERSION` printed a version that is too old."""
    if not is_new_enough(printed):
        wanted = ".".join(map(str, MINIMUM_GO))
        raise CacheError(f"Go here is {printed.strip()}; Go {wanted} or newer is needed: install it, first on PATH.")


def remaining(compiled: int, total: int, seconds: float) -> str:
    """Return the progress of a build, such as "212 of 1,480 packages, about 6 min left"."""
    text = f"{compiled:,} of {total:,} packages"
    if compiled >= total:
        return f"{text}, linking"
    if not compiled:
        return text
    left = seconds / compiled * (total - compiled)
    if left < SECONDS_PER_MINUTE:
        return f"{text}, under a minute left"
    return f"{text}, about {left / SECONDS_PER_MINUTE:.0f} min left"


def _counts(path: Path) -> bool:
    return not path.name.endswith("_test.go") and "testdata" not in path.parts


def _build_arguments(program: Program) -> list[str]:
    link = ["-s", "-w", *(f"-X {name}={value}" for name, value in sorted(program.variables.items()))]
    tags = ["-tags", ",".join(program.tags)] if program.tags else []
    return ["-mod=readonly", "-buildvcs=false", *tags, "-ldflags", " ".join(link)]


def _build(program: Program, folder: Path, progress: BuildProgress) -> None:
    environment = {"CGO_ENABLED": "1" if program.cgo else "0", "GOWORK": "off", "GOFLAGS": ""}
    check_version(run(["go", "env", "GOVERSION"], doing="reading the version of Go", directory=program.source))
    arguments = _build_arguments(program)

    fetched = 0
    stale: set[str] = set()

    def on_listed(line: str) -> None:
        nonlocal fetched
        if line.startswith("go: downloading "):
            fetched += 1
            progress.tell(f"{fetched:,} modules fetched, now {line.removeprefix('go: downloading ')}")
        elif line and not line.startswith("go: "):
            stale.add(line)

    # Count only the packages that Go's build cache lacks.
    listing = "{{if .Stale}}{{.ImportPath}}{{end}}"
    run(
        ["go", "list", "-deps", *arguments, "-f", listing, program.package],
        doing=f"reading the modules of {program.name}",
        directory=program.source,
        environment=environment,
        on_line=on_listed,
    )

    compiled = 0
    started = time.monotonic()

    def on_built(line: str) -> None:
        nonlocal compiled
        if line in stale:
            compiled += 1
            progress.tell(remaining(compiled, len(stale), time.monotonic() - started))

    run(
        ["go", "build", "-v", *arguments, "-o", str(folder / program.name), program.package],
        doing=f"building {program.name}",
        directory=program.source,
        environment=environment,
        on_line=on_built,
    )


def _verify(program: Program, folder: Path) -> None:
    if not program.proof:
        return
    printed = run([str(folder / program.name), *program.proof], doing=f"reading the version of the new {program.name}")
    if program.expected not in printed:
        raise CacheError(
            f"{program.name} was built, but `{program.name} {' '.join(program.proof)}` printed {printed!r} "
            f"instead of {program.expected!r}: the pin and toolchain/{program.name}/go.mod name different versions."
        )
