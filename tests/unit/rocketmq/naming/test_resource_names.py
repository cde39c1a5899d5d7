"""Names of topics, consumer groups and users."""

import json

from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS as PATH
from eks_rocketmq.rocketmq.naming import resource_names


@given(st.text(max_size=130))
def test_accepted_name_is_one_word_without_json_escapes(name: str) -> None:
    for check in (
        lambda: resource_names.validate_topic_name(name, frozenset(), PATH / "name"),
        lambda: resource_names.validate_group_name(name, PATH / "name"),
        lambda: resource_names.validate_user_name(name, "own-", PATH / "name"),
    ):
        try:
            accepted = check()
        except ValueError:
            continue
        assert json.dumps(accepted) == f'"{name}"'
        assert name.split() == [name]
