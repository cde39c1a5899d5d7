"""Write the configuration keys of a RocketMQ version: `python -m scripts.rocketmq_keys VERSION`.

Fetches the version's jars, asks their setters what there is and their classes what is read (`RocketMqKeys.java`), and
writes `rocketmq/config/keys/VERSION.json`, which decides what the library accepts. The same jars give the same file on
every machine.
"""

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.cache import entry, recipes
from sandbox.cache.build_command import CacheError, run
from sandbox.layout import CACHE, REPOSITORY
from sandbox.progress import Report

EXTRACTOR = REPOSITORY / "scripts" / "RocketMqKeys.java"
KEYS = REPOSITORY / "components" / "eks_rocketmq" / "rocketmq" / "config" / "keys"

# Two different machines: a default that differs between them is not written.
_MACHINES = (
    ("NAMESRV_ADDR=localhost:1", "ROCKETMQ_HOME=/opt", "java", "-XX:ActiveProcessorCount=3", "-Xmx256m"),
    ("--unset=NAMESRV_ADDR", "--unset=ROCKETMQ_HOME", "java", "-XX:ActiveProcessorCount=24", "-Xmx512m"),
)
_HOME = "-Duser.home=/home/rocketmq"  # as in the official image


def extract_keys(version: str) -> str:
    """Return the content of a version's key file.

    Raises CacheError when its jars cannot be fetched or read.
    """
    jars = entry.ensure(CACHE, recipes.rocketmq_jars(version), Report())
    few, many = (_describe_keys(jars, machine, version) for machine in _MACHINES)
    for role, keys in few.items():
        for key, known in keys.items():
            if known.get("default") != many[role][key].get("default"):
                known.pop("default", None)
    return render_keys(few)


def render_keys(keys: dict[str, dict[str, Any]]) -> str:
    """Return the file with one key on each line, for readable diffs."""
    roles = []
    for role, known in sorted(keys.items()):
        lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
        roles.append(f"  {json.dumps(role)}: {{\n{lines}\n  }}")
    return "{\n" + ",\n".join(roles) + "\n}\n"


def _describe_keys(jars: Path, machine: tuple[str, ...], version: str) -> dict[str, dict[str, Any]]:
    lines: list[str] = []
    run(
        [
            "env",
            "--unset=JAVA_TOOL_OPTIONS",
            "--unset=JDK_JAVA_OPTIONS",
            *machine,
            _HOME,
            "-cp",
            f"{jars}/*",
            str(EXTRACTOR),
        ],
        doing=f"reading the keys of RocketMQ {version}",
        on_line=lines.append,
    )
    return json.loads("\n".join(lines))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m scripts.rocketmq_keys VERSION, such as 5.5.0", file=sys.stderr)
        return 2
    try:
        text = extract_keys(arguments[0])
    except CacheError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    path = KEYS / f"{arguments[0]}.json"
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(text, encoding="utf-8")
    print(f"{path.relative_to(REPOSITORY)}: {'unchanged' if before == text else 'written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
