"""Exit code of the console script."""

import sys

import pytest

from eks_rocketmq.commands import console


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_an_unexpected_error_does_not_say_that_something_is_broken(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(sys, "argv", ["eks-rocketmq", command])
    monkeypatch.setattr(console, "load_app", lambda _: fail)
    with pytest.raises(SystemExit) as ended:
        console.main()
    assert ended.value.code == 2
    assert "ZeroDivisionError: a defect" in capsys.readouterr().err
