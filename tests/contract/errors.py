"""What a test expects AWS to answer: a code, and words of its text."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, words: str = " ") -> Generator[pytest.ExceptionInfo[ClientError]]:
    """The block must fail with this error code, and a message that holds `words` literally."""
    with pytest.raises(ClientError, match=re.escape(words)) as caught:
        yield caught
    assert caught.value.response["Error"]["Code"] == code
