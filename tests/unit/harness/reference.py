"""Files generated from the library: the schema of the package and the reference of its components.

`python -m tests.unit.harness.reference` (`make reference`) regenerates both files.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import eks_rocketmq
from eks_rocketmq.args.field_metadata import get_accepted_values, get_enumeration_name
from eks_rocketmq.plugin.component_provider import get_provider
from eks_rocketmq.pulumi_sdk.component import PACKAGE
from tests.unit.harness.recording import Recording
from tests.unit.harness.runner import REPOSITORY, run

SCHEMA = REPOSITORY / "components" / "schema.json"
README = REPOSITORY / "components" / "README.md"
EXAMPLES = REPOSITORY / "examples" / "components"

_MARK = "<!-- From here on the file is generated from the library's docstrings: `make reference`. -->\n"


def enumerated() -> Iterator[tuple[str, str, Any]]:
    """Yield every argument with a fixed set of values: the type, the field and its annotation."""
    for name in eks_rocketmq.__all__:
        if name.endswith("Args"):
            for field, hint in getattr(eks_rocketmq, name).__annotations__.items():
                if get_accepted_values(hint):
                    yield name, field, hint


_VALUES = {get_enumeration_name(hint): get_accepted_values(hint) for _, _, hint in enumerated()}


def dumped(package: Mapping[str, Any]) -> str:
    """Return the schema in the format of the committed file."""
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def snake(name: str) -> str:
    """Convert a name of the schema to snake case: `roleName` to `role_name`, `RocketMq` to `rocket_mq`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def example(component: str) -> Path:
    """Return the path of the example program of a component. The class determines the name of the file."""
    return EXAMPLES / f"{snake(component)}.py"


def run_example(component: str, *, preview: bool = False) -> Recording:
    """Run the example program of a component against the recording monitor."""
    path = example(component)
    code = compile(path.read_text(), str(path), "exec")
    return run(lambda: exec(code, {"__name__": "__main__"}), preview=preview)  # noqa: S102 - a file of this repository


def created(recording: Recording, component: str) -> Counter[str]:
    """Return the number of resources under a component by type, including nested components."""
    roots = {each.urn for each in recording.by_type(f"{PACKAGE}:index:{component}")}
    under = set(roots)
    for resource in recording.resources.values():  # parents are registered before their children
        if resource.parent in under:
            under.add(resource.urn)
    return Counter(recording.resources[urn].type for urn in under - roots)


def document(package: Mapping[str, Any], only_python: Mapping[str, Mapping[str, str]]) -> str:
    """Return the README with a new generated part.

    Args:
        package: the schema.
        only_python: outputs that are available only in Python, by component.
    """
    names = [token.rsplit(":", 1)[-1] for token in package["resources"]]
    contents = "\n".join(f"| [`{name}`](#{name.lower()}) | {_first(package, name)} |" for name in names)
    return "\n".join(
        [
            README.read_text().split(_MARK, 1)[0] + _MARK,
            f"| component | does |\n|---|---|\n{contents}\n",
            *_components(package, only_python),
        ]
    )


def _first(package: Mapping[str, Any], name: str) -> str:
    return package["resources"][f"{PACKAGE}:index:{name}"]["description"].split("\n\n", 1)[0].replace("\n", " ")


def _components(package: Mapping[str, Any], only_python: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    seen: set[str] = set()
    for token, resource in package["resources"].items():
        name = token.rsplit(":", 1)[-1]
        nested = [
            f"#### `{each}`\n\n{shape['description']}\n\n{_inputs(shape['properties'], shape.get('required', []))}"
            for each, shape in _nested(package, resource["inputProperties"], seen)
        ]
        parts = [
            f"## {name}",
            resource["description"],
            f"```python\n{example(name).read_text()}```",
            _made(name),
            f"### Inputs of {name}",
            _inputs(resource["inputProperties"], resource.get("requiredInputs", [])),
            *nested,
            f"### Outputs of {name}",
            _outputs(resource["properties"], only_python[name]),
        ]
        yield "\n\n".join(parts) + "\n"


def _made(name: str) -> str:
    made = created(run_example(name), name)
    lines = [f"- {count} of `{type_}`" if count > 1 else f"- `{type_}`" for type_, count in sorted(made.items())]
    return (
        "\n".join(["This program creates these children of the component:\n", *lines])
        if lines
        else "It creates no resources."
    )


def _outputs(fields: Mapping[str, Any], only_python: Mapping[str, str]) -> str:
    rows = [(snake(key), _type(field), field["description"]) for key, field in fields.items()]
    rows += [(name, "for Python", description) for name, description in only_python.items()]
    lines = [f"| `{name}` | {kind} | {description} |" for name, kind, description in rows]
    return "\n".join(["| output | type | meaning |", "|---|---|---|", *lines])


def _inputs(fields: Mapping[str, Any], required: list[str]) -> str:
    rows = "\n".join(
        f"| `{snake(key)}` | {_type(field)} | {_marks(field, needed=key in required)} | {field['description']} |"
        for key, field in sorted(fields.items(), key=lambda item: item[0] not in required)
    )
    return f"| input | type | | meaning |\n|---|---|---|---|\n{rows}"


def _marks(field: Mapping[str, Any], *, needed: bool) -> str:
    marks = {"**required**": needed, "plain": field.get("plain"), "replaces": field.get("willReplaceOnChanges")}
    return ", ".join(mark for mark, holds in marks.items() if holds)


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit(":", 1)[-1]
        if values := _VALUES.get(name):
            return ", ".join(f"`{value}`" for value in values)
        return "any" if name.endswith("/Any") else f"[`{name}`](#{name.lower()})"
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    return f"map of {_type(field['additionalProperties'])}" if field["type"] == "object" else field["type"]


def _nested(
    package: Mapping[str, Any], fields: Mapping[str, Any], seen: set[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every type that these inputs reference, in the order of the first reference."""
    for field in fields.values():
        inner = field.get("items") or field.get("additionalProperties") or field
        token = inner.get("$ref", "").removeprefix("#/types/")
        # An enumeration has no fields. Its values are listed at each input that uses it.
        if "properties" in package["types"].get(token, {}) and token not in seen:
            seen.add(token)
            shape = package["types"][token]
            yield token.rsplit(":", 1)[-1], shape
            yield from _nested(package, shape["properties"], seen)


def write() -> None:
    """Write both files."""
    package = get_provider().package
    SCHEMA.write_text(dumped(package))
    README.write_text(document(package, get_provider().python_only))


if __name__ == "__main__":
    write()
