"""Packages that an import loads: none of AWS for RocketMQ alone. Public names are imported on first use."""

import ast
import subprocess
import sys

import pytest

import eks_rocketmq
from tests.unit.harness import REPOSITORY

STUB = REPOSITORY / "components" / "eks_rocketmq" / "__init__.pyi"
AWS = ("pulumi_aws", "pulumi_eks", "boto3", "botocore")


def list_loaded_packages(statement: str) -> set[str]:
    """Return the top-level packages that a new interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_an_import_of_rocketmq_loads_no_aws_package() -> None:
    # One interpreter for both imports: it loads the SDKs, which takes a second.
    packages = list_loaded_packages("import eks_rocketmq.rocketmq.rocket_mq\nfrom eks_rocketmq import RocketMq")
    assert "pulumi_kubernetes" in packages
    assert packages.isdisjoint(AWS)


def test_an_import_of_components_loads_no_doctor() -> None:
    # It would make each preview slower. Hooks load it when something has failed.
    program = (
        "import sys, eks_rocketmq.rocketmq.rocket_mq, eks_rocketmq.eks.ebs.ebs_csi_addon\n"
        "print(*(name for name in sys.modules if name.startswith('eks_rocketmq.doctor')))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_an_import_of_the_package_loads_no_sdk() -> None:
    assert list_loaded_packages("import eks_rocketmq").isdisjoint({*AWS, "pulumi", "pulumi_kubernetes"})


def test_the_type_stub_matches_the_public_names() -> None:
    (names,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert names == eks_rocketmq.__all__ == sorted(names)
    for name in names:
        assert getattr(eks_rocketmq, name).__name__ == name
    assert set(names) <= set(dir(eks_rocketmq))


def test_an_import_of_an_unknown_name_is_rejected() -> None:
    with pytest.raises(AttributeError, match="module 'eks_rocketmq' has no attribute 'RocketMQ'"):
        _ = eks_rocketmq.RocketMQ  # ty: ignore[missing-attribute]
    with pytest.raises(ImportError):
        exec("from eks_rocketmq import RocketMQ")  # noqa: S102 - type checkers reject this statement in a module
