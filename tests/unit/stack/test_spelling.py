"""Errors of the components in the words of a stack file: names of settings change, what somebody wrote does not."""

from typing import Any

import pulumi
import pytest

from eks_rocketmq.stack.spelling import spelled, spelled_for_rocketmq
from tests.unit.harness import run_stack


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("zone_count is 9; accepted are 2 to 6", "zoneCount is 9; accepted are 2 to 6"),
        (
            "broker_groups['write_queues'].min_in_sync_replicas is 0",
            "brokerGroups['write_queues'].minInSyncReplicas is 0",
        ),
        ("topics['a'].write_queues is 3", "topics['a'].writeQueues is 3"),
        ("topics has 'write_queues', \"it's max_size\" more than once", None),
        ("nat is 'perzone'; accepted are 'per_zone', 'single'; did you mean 'per_zone'?", None),
        ("user has 'a\\'max_size'", None),
        (
            "the VPC's own, a broker's per_zone and the groups' max_size",
            "the VPC's own, a broker's perZone and the groups' maxSize",
        ),
        (
            "a.max_siz is not known; did you mean 'max_size'?; accepted are max_size, 'max_size'",
            "a.max_siz is not known; did you mean 'maxSize'?; accepted are maxSize, 'max_size'",
        ),
        ("`min_in_sync_replicas` is what counts", "`minInSyncReplicas` is what counts"),
    ],
)
def test_a_name_of_a_setting_is_spelled_as_in_the_stack_file_and_nothing_in_quotes(text: str, told: str | None) -> None:
    assert spelled(text) == (told or text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version is '5.6'; accepted are '5.5.0'", "rocketmqVersion is '5.6'; accepted are '5.5.0'"),
        ("profile 'strict' needs 3", "durability 'strict' needs 3"),
        ("version: it restarts", "rocketmqVersion: it restarts"),
        ("dashboard.version is 'a b'; accepted are", None),
        ("topics has 'version', 'profile is' more than once", None),
        ("no version of it is known", None),
    ],
)
def test_arguments_of_rocketmq_have_names_of_their_own_in_the_stack_file(text: str, told: str | None) -> None:
    assert spelled_for_rocketmq(text) == (told or text)


@pytest.mark.parametrize(
    ("stack", "overrides", "message"),
    [
        (
            "staging",
            {"network": {"nat": "perzone"}},
            "network: nat is 'perzone'; accepted are 'per_zone', 'single', 'none'; did you mean 'per_zone'?",
        ),
        ("staging", {"network": {"natt": "none"}}, "network.natt is not known; did you mean 'nat'?; accepted are "),
        (
            "staging",
            {"network": {"zone_counts": 3}},
            "network.zone_counts is not known; did you mean 'zoneCount'?; accepted are those of NetworkArgs in ",
        ),
        (
            "staging",
            {"nodeGroups": {"general": {"instanceTypes": ["m7i.large"], "labels": {"max_size": "a b"}}}},
            "nodeGroups['general']: labels['max_size'] is 'a b'; accepted are up to 63 letters",
        ),
        ("prod", {"dashboard": {"loginSecret": "a", "version": "a b"}}, "dashboard.version is 'a b'; accepted are up"),
        ("prod", {"topics": [{"name": "write_queues"}] * 2}, "topics has 'write_queues' more than once"),
        (
            "prod",
            {"topics": [{"name": "write_queues", "queues": 1, "writeQueues": 2}]},
            "topics['write_queues'].writeQueues is 2, queues is 1; ",
        ),
        (
            "prod",
            {
                "access": {
                    "users": [{"name": "a", "permissions": [{"resources": ["Topics:max_size"], "actions": ["Pub"]}]}]
                }
            },
            "access.users['a'].permissions has the resource 'Topics:max_size'; accepted are ",
        ),
    ],
)
def test_an_error_of_the_program_keeps_what_the_stack_file_says(
    stack: str, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run_stack(stack, preview=True, overrides=overrides)
    assert str(refusal.value).startswith(f"Pulumi.{stack}.yaml: {message}")
