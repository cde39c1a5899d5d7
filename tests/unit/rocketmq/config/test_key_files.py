"""Files of the known configuration keys of each RocketMQ version."""

import json

import pytest

from eks_rocketmq.rocketmq.config import broker_config
from scripts.rocketmq_keys import KEYS, render_keys
from tests.unit.rocketmq.config.config_case import ROLES, VERSIONS

KINDS = {"int": int, "long": int, "double": float, "boolean": bool, "string": str, "enum": str}


def test_three_versions_are_supported() -> None:
    assert tuple(broker_config.list_versions()) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_every_key_has_a_type_and_a_default_of_that_type(version: str) -> None:
    known = broker_config.load_keys(version)
    assert tuple(known) == ROLES
    for role, keys_of_role in known.items():
        assert list(keys_of_role) == sorted(keys_of_role), role
        for name, key in keys_of_role.items():
            assert set(key) <= {"type", "default", "members", "deprecated", "unread"}, name
            assert type(key.get("default", KINDS[key["type"]]())) is KINDS[key["type"]], name
            assert ("members" in key) == (key["type"] == "enum"), name
            assert key.get("default") in [*key.get("members", [key.get("default")]), None], name


@pytest.mark.parametrize("version", VERSIONS)
def test_defaults_do_not_depend_on_the_machine_of_the_extraction(version: str) -> None:
    text = (KEYS / f"{version}.json").read_text()
    broker = broker_config.load_keys(version)["broker"]
    # These defaults depend on the number of processors, the address and the host name.
    assert [
        name for name in ("sendMessageThreadPoolNums", "brokerIP1", "brokerName") if "default" in broker[name]
    ] == []
    assert "null/" not in text
    assert "/root" not in text


@pytest.mark.parametrize(
    ("version", "counts"),
    [("5.3.3", (442, 70, 58, 172)), ("5.4.0", (487, 70, 58, 174)), ("5.5.0", (518, 70, 58, 179))],
)
def test_key_counts_match_the_jars(version: str, counts: tuple[int, ...]) -> None:
    known = broker_config.load_keys(version)
    assert tuple(len(known[role]) for role in ROLES) == counts
    assert "mapedFileSizeCommitLog" not in known["broker"]


@pytest.mark.parametrize("version", VERSIONS)
def test_files_match_the_output_of_the_extractor(version: str) -> None:
    text = (KEYS / f"{version}.json").read_text()
    assert render_keys(json.loads(text)) == text
