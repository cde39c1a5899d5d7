"""What an import loads: RocketMQ alone needs no AWS SDK, and every public name is there when it is asked for."""

import ast
import subprocess
import sys

import pytest

import eks_rocketmq
from tests.unit.harness import REPOSITORY

STUB = REPOSITORY / "components" / "eks_rocketmq" / "__init__.pyi"
AWS = ("pulumi_aws", "pulumi_eks", "boto3", "botocore")


def loaded(statement: str) -> set[str]:
    """Top-level packages that an interpreter of its own has after a statement."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["from eks_rocketmq import RocketMq", "import eks_rocketmq.rocketmq.rocket_mq"])
def test_rocketmq_on_any_kubernetes_loads_nothing_of_aws(statement: str) -> None:
    packages = loaded(statement)
    assert "pulumi_kubernetes" in packages
    assert packages.isdisjoint(AWS)


def test_the_package_alone_loads_nothing() -> None:
    assert loaded("import eks_rocketmq").isdisjoint({*AWS, "pulumi", "pulumi_kubernetes"})


def test_type_checkers_see_what_is_there() -> None:
    (names,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert names == eks_rocketmq.__all__ == sorted(names)
    for name in names:
        assert getattr(eks_rocketmq, name).__name__ == name
    assert set(names) <= set(dir(eks_rocketmq))


def test_an_unknown_name_is_one() -> None:
    with pytest.raises(AttributeError, match="module 'eks_rocketmq' has no attribute 'RocketMQ'"):
        _ = eks_rocketmq.RocketMQ  # ty: ignore[missing-attribute]
    with pytest.raises(ImportError):
        exec("from eks_rocketmq import RocketMQ")  # noqa: S102 - a statement that cannot stand in a module
