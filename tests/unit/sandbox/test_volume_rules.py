"""How often EC2 lets a volume be changed."""

import pytest

from sandbox.aws.volume_rules import VolumeError, check_modification_rate

HOUR = 3600.0


def test_four_modifications_within_a_day_are_the_most() -> None:
    check_modification_rate([], 0)
    check_modification_rate([0, 1, 2], 3)
    with pytest.raises(VolumeError, match="maximum modification rate per volume") as refused:
        check_modification_rate([0, 1, 2, 3], 4)
    assert refused.value.code == "VolumeModificationRateExceeded"


def test_the_day_is_a_rolling_one() -> None:
    earlier = [0, 6 * HOUR, 12 * HOUR, 18 * HOUR]
    with pytest.raises(VolumeError):
        check_modification_rate(earlier, 24 * HOUR - 1)
    check_modification_rate(earlier, 24 * HOUR)
    with pytest.raises(VolumeError):
        check_modification_rate([*earlier, 24 * HOUR], 30 * HOUR - 1)
