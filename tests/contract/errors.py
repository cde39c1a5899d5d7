"""Assertion of error codes and messages of AWS."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, words: str = " ") -> Generator[pytest.ExceptionInfo[ClientError]]:
    """Assert that the block fails with this error code and a message that contains `words` literally."""
    with pytest.raises(ClientError, match=re.escape(words)) as caught:
        yield caught
    assert caught.value.response["Error"]["Code"] == code
