"""Paths of arguments in the spelling of the stack file: field names change, values of the user do not."""

from typing import Any

import pulumi
import pytest

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, render_error
from eks_rocketmq.stack import stack_paths
from eks_rocketmq.stack.stack_keys import KEYS
from eks_rocketmq.stack.stack_paths import (
    ACCESS,
    LOAD_BALANCER,
    NETWORK,
    NODE_GROUPS,
    ROCKETMQ,
    STACK_FILE,
    StackFileSurface,
    get_setting_path,
)
from tests.unit.harness import run_stack

GROUPS = ROCKETMQ / "broker_groups"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (ARGS, ""),
        (NETWORK / "zone_count", "network.zoneCount"),
        (LOAD_BALANCER / "tls_ports", "networkLoadBalancer.tlsPorts"),
        (ROCKETMQ / "min_in_sync_replicas", "rocketmq.minInSyncReplicas"),
        (
            GROUPS.index(0, {"name": "write_queues"}) / "storage_class",
            "rocketmq.brokerGroups['write_queues'].storageClass",
        ),
        (GROUPS.index(1, {"replicas": 3}), "rocketmq.brokerGroups[1]"),
        (NODE_GROUPS.key("max_size") / "labels", "nodeGroups['max_size'].labels"),
        ((NODE_GROUPS.key("a") / "labels").key("max_size"), "nodeGroups['a'].labels['max_size']"),
        (NETWORK.unknown("zone_counts"), "network.zone_counts"),
        (ROCKETMQ.unknown(7), "rocketmq.7"),
        (ACCESS, "access"),
        ((ACCESS / "users").index(0, "max_size") / "source_ips", "access.users['max_size'].sourceIps"),
        (ROCKETMQ / "access_log", "rocketmq.accessLog"),
        (ROCKETMQ.unknown("access"), "rocketmq.access"),
        (get_setting_path("aws:allowedAccountIds"), "aws:allowedAccountIds"),
        (get_setting_path("broker_group"), "broker_group"),
    ],
)
def test_a_path_has_the_key_and_field_names_of_the_stack_file(path: ArgumentPath, text: str) -> None:
    assert STACK_FILE.spell_path(path) == text


def test_each_key_of_the_stack_file_has_a_path() -> None:
    paths = [path for path in vars(stack_paths).values() if isinstance(path, ArgumentPath) and path != ARGS]
    assert sorted(map(STACK_FILE.spell_path, paths)) == sorted(KEYS)


@pytest.mark.parametrize(
    ("component", "path", "text"),
    [
        (NETWORK, ARGS / "zone_count", "network.zoneCount"),
        (NODE_GROUPS.key("a"), ARGS / "max_size", "nodeGroups['a'].maxSize"),
        (ROCKETMQ, ARGS / "access" / "users", "access.users"),
        (ROCKETMQ, ARGS, "rocketmq"),
    ],
)
def test_the_path_of_a_component_s_argument_begins_with_the_key(
    component: ArgumentPath, path: ArgumentPath, text: str
) -> None:
    assert StackFileSurface(component).spell_path(path) == text


def test_only_names_and_paths_in_an_error_are_spelled_in_camel_case() -> None:
    error = ArgumentError(
        NETWORK.unknown("max_siz"),
        "a-code",
        "{given!r} and {other} are not per_zone",
        accepted="{names}, with {paths}",
        remedy="Did you mean {nearest}?",
        given="max_size",
        other=ACCESS / "users",
        names=Names(("max_size", "min_size")),
        paths=[NETWORK / "cidr_block", GROUPS.key("max_size")],
        nearest=Names(("max_size",)),
    )
    assert render_error(error, STACK_FILE) == (
        "network.max_siz: 'max_size' and access.users are not per_zone. Accepted: maxSize, minSize, with "
        "network.cidrBlock, rocketmq.brokerGroups['max_size']. Did you mean maxSize?"
    )


@pytest.mark.parametrize("name", ["namespace", "broker_groups", "extra_volume_tags"])
def test_a_surface_spells_a_name_as_a_field_of_the_stack_file(name: str) -> None:
    assert STACK_FILE.spell_name(name) == to_camel_case(name)


@pytest.mark.parametrize(
    ("stack", "overrides", "message"),
    [
        (
            "staging",
            {"network": {"nat": "perzone"}},
            "network.nat: 'perzone' is not accepted. Accepted: 'per_zone', 'single', 'none'. Did you mean 'per_zone'?",
        ),
        (
            "staging",
            {"network": {"zone_counts": 3}},
            "network.zone_counts: unknown field. Accepted: the fields of NetworkArgs in components/README.md. Did you "
            "mean zoneCount?",
        ),
        (
            "staging",
            {"nodeGroups": {"general": {"labels": {"max_size": "a b"}}}},
            "nodeGroups['general'].labels['max_size']: 'a b' is no value that Kubernetes accepts for a label.",
        ),
        (
            "prod",
            {"rocketmq": {"dashboard": {"loginSecret": "a", "version": "a b"}}},
            "rocketmq.dashboard.version: 'a b' is no tag of an image.",
        ),
        (
            "prod",
            {"rocketmq": {"topics": [{"name": "write_queues"}] * 2}},
            "rocketmq.topics: 'write_queues' is given more than once.",
        ),
        (
            "prod",
            {"rocketmq": {"topics": [{"name": "write_queues", "queues": 1, "writeQueues": 2}]}},
            "rocketmq.topics['write_queues'].writeQueues: ",
        ),
        (
            "prod",
            {
                "access": {
                    "users": [{"name": "a", "permissions": [{"resources": ["Topics:max_size"], "actions": ["Pub"]}]}]
                }
            },
            "access.users['a'].permissions[0].resources[0]: 'Topics:max_size' ",
        ),
    ],
)
def test_an_error_of_the_program_uses_the_spelling_of_the_stack_file(
    stack: str, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run_stack(stack, preview=True, overrides=overrides)
    assert str(raised.value).startswith(f"Pulumi.{stack}.yaml: {message}")
