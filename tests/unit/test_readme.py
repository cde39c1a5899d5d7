"""What the documents say is held to the code: examples run, tables name what there is, links lead somewhere."""

import re
from pathlib import Path

import pytest
import yaml

from eks_rocketmq.rocketmq.config.durability import PROFILES
from eks_rocketmq.stack.settings import UNSET
from tests.unit.harness import REPOSITORY, run, run_stack
from tests.unit.harness.golden import committed

README = REPOSITORY / "README.md"
SETTINGS = REPOSITORY / "docs" / "settings.md"
DOCUMENTS = [
    *REPOSITORY.glob("*.md"),
    *REPOSITORY.glob("docs/**/*.md"),
    *REPOSITORY.glob("components/*.md"),
    REPOSITORY / "examples" / "README.md",
    *REPOSITORY.glob("examples/*/README.md"),
    *REPOSITORY.glob("sandbox/**/*.md"),
]


def fences(path: Path, language: str) -> list[str]:
    """The fenced blocks of a document in one language; an empty `language` means those without."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """One section of the README, up to the next one of the second level."""
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    return found


def rows(text: str) -> dict[str, str]:
    """First and second column of a table, without their code marks."""
    found = re.findall(r"^\| `([^`]+)` \|(.*?)\|", text, re.MULTILINE)
    return {first: second.strip().strip("`") for first, second in found}


def anchors(path: Path) -> set[str]:
    """Anchors of the headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_the_example_runs(*, preview: bool) -> None:
    (example,) = fences(README, "python")
    code = compile(example, str(README), "exec")

    recording = run(lambda: exec(code, {"__name__": "__main__"}), preview=preview)  # noqa: S102 - our own document

    (imported,) = re.findall(r"^from eks_rocketmq import (.+)$", example, re.MULTILINE)
    assert {f"eks-rocketmq:index:{name}" for name in imported.split(", ")} <= recording.inventory().keys()


def test_the_example_exports_where_clients_connect() -> None:
    (example,) = fences(README, "python")
    outputs = run(lambda: exec(example, {})).outputs  # noqa: S102 - our own document
    assert outputs == {"proxy": "rocketmq-proxy.orders.svc:8081"}


def test_the_tree_is_what_the_prod_stack_deploys() -> None:
    (tree,) = (block for block in fences(README, "") if "pulumi:pulumi:Stack" in block)
    shown = [line.split()[-1] for line in tree.splitlines()]
    deployed = [urn.rsplit("::", 1)[-1] for urn in committed("prod").split()]
    # The class is read and not registered, so the committed URNs leave it out.
    assert sorted(shown) == sorted([*deployed, "storage-class"])


def test_the_table_of_promises_is_the_profiles() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    (table,) = re.findall(r"^## What a message is worth\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    shown = re.findall(r"^\| `(\w+)` \| (\d) or more \| (\d) \| (\d) or more \|", table, re.MULTILINE)
    assert shown == [
        (name, str(profile.least_members), str(profile.zones), str(profile.least_controllers))
        for name, profile in PROFILES.items()
    ]
    kept = {key for profile in PROFILES.values() for key in profile.kept}
    assert kept == set(re.findall(r"`(\w+[A-Z]\w+)`", table.split("refuse what", 1)[1])) - {"config"}


def test_the_example_of_a_setting_is_taken_and_reaches_the_pods() -> None:
    (example,) = fences(SETTINGS, "yaml")
    given = {key.partition(":")[2]: value for key, value in yaml.safe_load(example).items()}
    sets = run_stack("prod", overrides=given).by_type("StatefulSet")
    assert len(sets) == 3
    for each in sets:
        nodes = each.inputs["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
        (term,) = nodes["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        (preferred,) = nodes["preferredDuringSchedulingIgnoredDuringExecution"]
        assert term["matchExpressions"] == given["pods"]["nodeAffinity"]["required"]
        assert preferred["preference"]["matchExpressions"] == given["pods"]["nodeAffinity"]["preferred"][0]["match"]


def test_the_table_of_settings_is_the_schema() -> None:
    declared = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["config"]
    shown = {key: each.get("default", "") for key, each in declared.items()}
    # As YAML spells them; the component's own default stands beside an unset one.
    defaults = {key: "" if each in UNSET else str(each).replace("True", "true") for key, each in shown.items()}
    assert rows(SETTINGS.read_text()) == defaults


def test_the_table_of_commands_is_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert sorted(rows(section("Commands"))) == sorted(f"make {target}" for target in targets)


def links(path: Path) -> list[str]:
    """Targets within the repository."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()) if not target.startswith("https://")]


LINKS = [
    pytest.param(path, target, id=f"{path.relative_to(REPOSITORY)}:{target}")
    for path in DOCUMENTS
    for target in dict.fromkeys(links(path))
]


@pytest.mark.parametrize(("path", "target"), LINKS)
def test_a_link_leads_somewhere(path: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    assert file.exists()
    if anchor:
        assert anchor in anchors(file)
