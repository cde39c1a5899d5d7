"""Table of changes in a preview's comment: changes that replace or delete data come first, with their reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.changes import DATA_KINDS, ResourceChange, Severity, read_changes, render_table

PREFIX = "urn:pulumi:prod::eks-rocketmq::eks-rocketmq:index:RocketMq$"
LIMIT = 30_000


def render_event(operation: str, kind: str, name: str, **metadata: Any) -> str:
    """Return one line of the engine's event log."""
    return json.dumps(
        {
            "sequence": 1,
            "resourcePreEvent": {
                "metadata": {
                    "op": operation,
                    "urn": f"{PREFIX}{kind}::{name}",
                    "type": kind,
                    "detailedDiff": None,
                    **metadata,
                }
            },
        }
    )


def list_replacement_events(kind: str, name: str, **metadata: Any) -> list[str]:
    """Return the lines of the engine's event log about one replacement."""
    return [render_event(each, kind, name, **metadata) for each in ("create-replacement", "replace", "delete-replaced")]


SET, CONFIG_MAP = "kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:ConfigMap"


VERSIONS = "broker-config-02c9fc3297", "broker-config-a8797f5b77"


def list_version_events(former: str, name: str, *, immutable: bool = True) -> list[str]:
    """Return the lines of the engine's event log about a ConfigMap in the place of another."""
    state = {"inputs": {"immutable": immutable}}
    return [render_event("create", CONFIG_MAP, name, new=state), render_event("delete", CONFIG_MAP, former, old=state)]


LOG = [
    json.dumps({"sequence": 0, "preludeEvent": {"config": {}}}),
    render_event("create", "kubernetes:core/v1:Service", "new-service"),
    render_event("same", SET, "rocketmq-broker-b-set"),
    render_event("refresh", SET, "rocketmq-broker-a-set"),
    render_event("update", "aws:iam/role:Role", "role", detailedDiff={"assumeRolePolicy": {"diffKind": "update"}}),
    *list_version_events(*VERSIONS),
    *list_replacement_events(
        SET,
        "rocketmq-broker-a-set",
        keys=["spec.serviceName"],
        detailedDiff={"spec.serviceName": {"diffKind": "update-replace"}, "spec.replicas": {"diffKind": "update"}},
    ),
    *list_replacement_events("kubernetes:policy/v1:PodDisruptionBudget", "budget", keys=["spec"]),
    render_event("delete", "kubernetes:core/v1:Namespace", "rocketmq-namespace"),
    "{ an engine that was stopped left this",
]


def test_changes_that_destroy_data_are_listed_first_in_bold() -> None:
    assert render_table(read_changes(LOG), LIMIT) == [
        "| operation | kind | name | why |",
        "|---|---|---|---|",
        "| ⚠️ **replace** | **`kubernetes:apps/v1:StatefulSet`** | **`rocketmq-broker-a-set`** | `spec.serviceName` |",
        "| ⚠️ **delete** | **`kubernetes:core/v1:Namespace`** | **`rocketmq-namespace`** | no longer in the program |",
        "| **replace** | `kubernetes:policy/v1:PodDisruptionBudget` | `budget` | `spec` |",
        "| update | `aws:iam/role:Role` | `role` | `assumeRolePolicy` |",
        "| create | `kubernetes:core/v1:Service` | `new-service` |  |",
        f"| new version | `kubernetes:core/v1:ConfigMap` | `{VERSIONS[1]}` | its content; the pods that read it roll |",
        "",
    ]


@pytest.mark.parametrize(
    ("names", "immutable"),
    [
        (VERSIONS, False),
        (("broker-config-1", "broker-config-2"), True),
        ((VERSIONS[0], "proxy-config-a8797f5b77"), True),
    ],
    ids=["mutable", "without a hash", "of another object"],
)
def test_a_deleted_config_map_without_a_new_version_is_destructive(names: tuple[str, str], immutable: bool) -> None:
    deleted, created = read_changes(list_version_events(*names, immutable=immutable))
    assert (deleted.operation, deleted.name, deleted.severity) == ("delete", names[0], Severity.DESTRUCTIVE)
    assert (created.operation, created.name) == ("create", names[1])


def test_a_replaced_config_map_is_destructive() -> None:
    (change,) = read_changes(list_replacement_events(CONFIG_MAP, VERSIONS[0], keys=["data"]))
    assert (change.operation, change.severity) == ("replace", Severity.DESTRUCTIVE)
    assert change.properties == ["data"]


def test_deletion_or_replacement_of_a_data_resource_has_severity_data() -> None:
    for kind in DATA_KINDS:
        for operation in ("delete", "replace"):
            (change,) = read_changes([render_event(operation, kind, "x")])
            assert change.severity is Severity.DATA
        assert read_changes([render_event("create", kind, "x")])[0].severity is Severity.CREATE


def test_properties_beyond_the_fourth_are_counted() -> None:
    paths = {f"spec.{letter}": {"diffKind": "update"} for letter in "abcdef"}
    (row,) = render_table(read_changes([render_event("update", SET, "x", detailedDiff=paths)]), LIMIT)[2:-1]
    assert row.endswith("| `spec.a`, `spec.b`, `spec.c`, `spec.d`, 2 more |")


def test_metadata_is_named_after_the_properties_that_roll_pods() -> None:
    paths = {'metadata.annotations["a"]': {"diffKind": "update"}, "spec.template": {"diffKind": "update"}}
    (change,) = read_changes([render_event("update", SET, "x", detailedDiff=paths)])
    assert change.properties == ["spec.template", 'metadata.annotations["a"]']


def test_a_preview_without_changes_has_no_table() -> None:
    assert render_table(read_changes([render_event("same", SET, "x")]), LIMIT) == []


def test_secrets_are_removed_from_names_and_paths() -> None:
    log = [render_event("update", SET, "token-hunter2", diffs=["metadata.annotations.hunter2"])]
    (change,) = read_changes(log, lambda text: text.replace("hunter2", "***"))
    assert change == ResourceChange("update", SET, "token-***", ["metadata.annotations.***"])


@given(
    st.lists(st.text(alphabet=st.sampled_from("a`|\n\\<é"), min_size=1, max_size=30), max_size=30),
    st.integers(300, 4_000),
)
def test_names_stay_in_their_cell_and_the_table_within_its_limit(names: list[str], limit: int) -> None:
    lines = render_table([ResourceChange("create", SET, name) for name in names], limit)
    assert sum(len(line.encode()) + 1 for line in lines) <= limit
    rows = [line for line in lines if line.startswith("| create")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)
    assert all(line.count("`") == 4 for line in rows)
    omitted = len(names) - len(rows)
    assert any(f"{omitted} to create" in line for line in lines) is (omitted > 0)
