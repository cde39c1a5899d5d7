"""What the fault tests ask of a broker group."""

from typing import Any

import pytest

from sandbox.messages import remoting
from tests.faults import group_status

OFFSETS = {"orders@workers": {"0": 5}, "orders@moving": {"0": 1}}
MASTER, SLAVE = "10.0.0.1:10911", "10.0.0.2:10911"


class Answer:
    """Response of a broker."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def json(self) -> dict[str, Any]:
        return self._document


@pytest.mark.parametrize(
    ("topics", "offsets", "missing"),
    [
        (["orders"], OFFSETS, []),
        (["orders"], OFFSETS | {"orders@moving": {"0": 2}}, []),
        # A former master keeps the offsets of groups that no later master knows.
        (["orders"], OFFSETS | {"orders@gone": {"0": 3}}, []),
        ([], OFFSETS, [f"{SLAVE}: no topic orders"]),
        (
            ["orders"],
            OFFSETS | {"orders@workers": {"0": 4}},
            [f"{SLAVE}: orders@workers {{'0': 4}}, master {{'0': 5}}"],
        ),
        (["orders"], {}, [f"{SLAVE}: orders@workers None, master {{'0': 5}}"]),
    ],
)
def test_a_slave_has_the_topics_and_offsets_of_its_master(
    topics: list[str], offsets: dict[str, Any], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {MASTER: (["orders"], OFFSETS), SLAVE: (topics, offsets)}

    def invoke(address: str, code: int) -> Answer:
        names, table = known[address]
        if code == remoting.ALL_TOPICS:
            return Answer({"topicConfigTable": {name: {} for name in names}})
        assert code == group_status.ALL_OFFSETS
        return Answer({"offsetTable": table})

    monkeypatch.setattr(remoting, "invoke", invoke)
    assert group_status.list_missing_metadata(MASTER, [SLAVE], ["orders"], {"moving"}) == missing
