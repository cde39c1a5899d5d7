"""Sample of the cases that `make check` runs."""

import pytest

from tests.case_sample import choose_cases


class Case(pytest.Item):
    """A test with nothing but its name."""

    def runtest(self) -> None:
        """Do nothing."""


def choose(request: pytest.FixtureRequest, names: list[str], limit: int) -> list[str]:
    items = [Case.from_parent(request.session, name=name) for name in names]
    return [item.name for item in choose_cases(items, limit)]


def test_each_function_and_the_ends_of_its_table_are_in_the_sample(request: pytest.FixtureRequest) -> None:
    table = [f"test_b[{number}]" for number in range(101)]
    chosen = choose(request, ["test_a", *table, "test_c[x]", "test_c[y]"], 3)
    assert chosen == ["test_a", "test_b[0]", "test_b[50]", "test_b[100]", "test_c[x]", "test_c[y]"]


@pytest.mark.parametrize(("limit", "numbers"), [(2, [0, 3]), (3, [0, 2, 3]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3])])
def test_a_table_has_as_many_cases_as_the_limit(request: pytest.FixtureRequest, limit: int, numbers: list[int]) -> None:
    table = [f"test_b[{number}]" for number in range(4)]
    assert choose(request, table, limit) == [table[number] for number in numbers]
