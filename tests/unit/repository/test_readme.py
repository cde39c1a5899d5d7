"""Documentation compared with the code: examples run, tables are complete, and link targets exist."""

import json
import re
import textwrap
from pathlib import Path
from typing import get_args, is_typeddict

import pytest
import yaml

from eks_rocketmq.args.argument_path import to_camel_case
from eks_rocketmq.rocketmq.config.durability import PROFILES
from eks_rocketmq.stack.settings import parse
from eks_rocketmq.stack.stack_keys import KEYS, find_new_key
from scripts.docs_site import list_pages
from tests.unit.harness import REPOSITORY, run, run_stack
from tests.unit.harness.golden import committed
from tests.unit.harness.rejections import list_rejections

README = REPOSITORY / "README.md"
TUTORIAL = REPOSITORY / "docs" / "quick-starts" / "your-program.md"
TREE = REPOSITORY / "docs" / "concepts" / "resource-tree.md"
PROFILE_TABLE = REPOSITORY / "docs" / "concepts" / "durability-and-failover.md"
SETTINGS = REPOSITORY / "docs" / "reference" / "settings.md"
GUIDE = REPOSITORY / "docs" / "how-to" / "convert-a-stack-file.md"
COMMANDS = REPOSITORY / "docs" / "reference" / "commands.md"
DOCUMENTS = [REPOSITORY / page for page in list_pages(REPOSITORY)]


def fences(path: Path, language: str) -> list[str]:
    """Return the dedented fenced blocks of a document in one language, or those without a language if it is empty."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", path.read_text(), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def rows(text: str) -> dict[str, str]:
    """Return first and second column of a table, without backticks."""
    found = re.findall(r"^\| `([^`]+)` \|(.*?)\|", text, re.MULTILINE)
    return {first: second.strip().strip("`") for first, second in found}


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings, as code hosts generate them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


EXAMPLES = pytest.mark.parametrize("page", [README, TUTORIAL], ids=lambda page: page.name)


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) < 150


def test_the_first_link_of_the_readme_is_the_page_about_pending_claims() -> None:
    first = re.search(r"\]\(([^)]+)\)", README.read_text())
    assert first
    assert first[1] == "docs/troubleshooting/claims-are-pending.md"


@EXAMPLES
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_the_example_registers_the_imported_components(page: Path, *, preview: bool) -> None:
    (example,) = fences(page, "python")
    code = compile(example, str(page), "exec")

    recording = run(lambda: exec(code, {"__name__": "__main__"}), preview=preview)  # noqa: S102 - our own document

    (imported,) = re.findall(r"^from eks_rocketmq import (.+)$", example, re.MULTILINE)
    assert {f"eks-rocketmq:index:{name}" for name in imported.split(", ")} <= recording.inventory().keys()


@EXAMPLES
def test_the_example_exports_the_proxy_endpoint(page: Path) -> None:
    (example,) = fences(page, "python")
    outputs = run(lambda: exec(example, {})).outputs  # noqa: S102 - our own document
    assert outputs == {"proxy": "rocketmq-proxy.orders.svc:8081"}


def test_the_resource_tree_matches_the_prod_stack() -> None:
    (tree,) = (block for block in fences(TREE, "") if "pulumi:pulumi:Stack" in block)
    shown = [line.split()[-1] for line in tree.splitlines()]
    deployed = [urn.rsplit("::", 1)[-1] for urn in committed("prod").split()]
    # The StorageClass is read and not registered, so the committed URNs do not contain it.
    assert sorted(shown) == sorted([*deployed, "storage-class"])


def test_the_profile_table_matches_the_profiles() -> None:
    (table,) = re.findall(r"^## Profiles\n(.*?)^## ", PROFILE_TABLE.read_text(), re.MULTILINE | re.DOTALL)
    shown = re.findall(r"^\| `(\w+)` \| (\d) or more \| (\d) \| (\d) or more \|", table, re.MULTILINE)
    assert shown == [
        (name, str(profile.min_members), str(profile.zones), str(profile.min_controllers))
        for name, profile in PROFILES.items()
    ]
    required_keys = {key for profile in PROFILES.values() for key in profile.required_keys}
    assert required_keys == set(re.findall(r"`(\w+[A-Z]\w+)`", table.split("reject these keys", 1)[1])) - {"config"}


def test_the_example_of_a_setting_is_accepted_and_applied_to_the_pods() -> None:
    (example,) = fences(SETTINGS, "yaml")
    given = {key.partition(":")[2]: value for key, value in yaml.safe_load(example).items()}
    affinity = given["rocketmq"]["pods"]["nodeAffinity"]
    sets = run_stack("prod", overrides=given).by_type("StatefulSet")
    assert len(sets) == 3
    for each in sets:
        nodes = each.inputs["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
        (term,) = nodes["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        (preferred,) = nodes["preferredDuringSchedulingIgnoredDuringExecution"]
        assert term["matchExpressions"] == affinity["required"]
        assert preferred["preference"]["matchExpressions"] == affinity["preferred"][0]["match"]


def test_the_settings_tables_list_each_key_and_its_arguments() -> None:
    text = SETTINGS.read_text()

    def list_names(heading: str) -> list[str]:
        section = text.partition(f"{heading}\n")[2].partition("\n#")[0]
        return re.findall(r"^\| \[?`([^`]+)`", section, re.MULTILINE)

    assert list_names("## All keys") == list(KEYS)
    for key, declaration in KEYS.items():
        type_ = declaration.type_ if is_typeddict(declaration.type_) else get_args(declaration.type_)[1]
        names = [to_camel_case(name) for name in type_.__annotations__ if name not in declaration.set_by_stack]
        assert list_names(f"### `{key}`") == names


def list_texts(file: str) -> dict[str, str]:
    """Return the text of each key of a stack file, without namespace, as the CLI passes it to the program."""
    config = yaml.safe_load(file)["config"]
    own = {key.removeprefix("eks-rocketmq:"): value for key, value in config.items() if key.startswith("eks-rocketmq:")}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in own.items()}


def test_the_guide_converts_each_former_key() -> None:
    former, converted = map(list_texts, fences(GUIDE, "yaml"))
    parse(converted)
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the codes are compared below
        parse(former)
    renamed = [path for path, code in list_rejections(error.value) if code == "unknown-key"]
    assert sorted(renamed) == sorted(former.keys() - {"ebsCsi", "access"})
    table = GUIDE.read_text().partition("### Former keys")[2]
    for key in renamed:
        new = find_new_key(key)
        shown = "Write rocketmq.namespace." if new == f"rocketmq.{key}" else f"Write {new}."
        assert f"`{key}" in table, key
        assert shown in table, key


def test_the_table_of_commands_matches_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert sorted([each for each in rows(COMMANDS.read_text()) if each.startswith("make ")]) == sorted(
        f"make {target}" for target in targets
    )


def links(path: Path) -> list[str]:
    """Return the link targets within the repository."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()) if not target.startswith("https://")]


LINKS = [
    pytest.param(path, target, id=f"{path.relative_to(REPOSITORY)}:{target}")
    for path in DOCUMENTS
    for target in dict.fromkeys(links(path))
]


@pytest.mark.parametrize(("path", "target"), LINKS)
def test_the_target_of_a_link_exists(path: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    assert file.exists()
    if anchor:
        assert anchor in anchors(file)
