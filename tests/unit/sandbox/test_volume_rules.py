"""Modification rate limit of EBS volumes."""

import pytest

from sandbox.aws.refusal import RefusedError
from sandbox.aws.volume_rules import check_modification_rate

HOUR = 3600.0


def test_fifth_modification_within_a_day_is_rejected() -> None:
    check_modification_rate([], 0)
    check_modification_rate([0, 1, 2], 3)
    with pytest.raises(RefusedError, match="maximum modification rate per volume") as error:
        check_modification_rate([0, 1, 2, 3], 4)
    assert error.value.code == "VolumeModificationRateExceeded"


def test_modification_limit_applies_to_a_rolling_day() -> None:
    earlier = [0, 6 * HOUR, 12 * HOUR, 18 * HOUR]
    with pytest.raises(RefusedError):
        check_modification_rate(earlier, 24 * HOUR - 1)
    check_modification_rate(earlier, 24 * HOUR)
    with pytest.raises(RefusedError):
        check_modification_rate([*earlier, 24 * HOUR], 30 * HOUR - 1)
