"""The sandbox incident: its namespace, its driver versions, and its coexistence with the stack."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from eks_rocketmq.rocketmq.namespace.collisions import Workload, find_collisions
from eks_rocketmq.rocketmq.naming import labels
from sandbox import incident
from sandbox.aws import seed
from sandbox.ebs_csi.manifests import checks_ec2
from sandbox.incident import driver
from tests.unit.harness import REPOSITORY

OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(incident.MANIFEST.read_text()))
(STATEFUL_SET,) = [each for each in OBJECTS if each["kind"] == "StatefulSet"]


def prod_config(key: str) -> Any:
    return yaml.safe_load(Path(REPOSITORY / "Pulumi.prod.yaml").read_text())["config"][f"eks-rocketmq:{key}"]


NAMESPACE = prod_config("rocketmq")["namespace"]


def test_incident_uses_namespace_of_the_stack_and_original_label_and_class() -> None:
    assert {each["metadata"]["namespace"] for each in OBJECTS} == {incident.NAMESPACE, NAMESPACE} == {"rocketmq"}
    assert STATEFUL_SET["spec"]["template"]["metadata"]["labels"] == {"app": "rocketmq-broker"}
    (claim,) = STATEFUL_SET["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == prod_config("storage")["className"] == "gp2"


@pytest.mark.parametrize(
    ("role", "group"),
    [("nameserver", None), ("controller", None), ("broker", "broker-a"), ("proxy", None)],
)
def test_stack_workload_does_not_collide_with_the_incident(role: str, group: str | None) -> None:
    name = labels.format_app_label(role) if group is None else labels.format_set_name(group)
    own = labels.build_labels(role, "5.5.0", group)
    kind = "Deployment" if role == labels.PROXY else "StatefulSet"
    workload = Workload(NAMESPACE, kind, name, role, labels.build_selector(role, group), own, own)
    template = STATEFUL_SET["spec"]["template"]
    pod = {"metadata": {"namespace": "rocketmq", "name": "rocketmq-broker-0", **template["metadata"]}}
    found = {each["kind"]: [each] for each in OBJECTS} | {"Pod": [pod]}
    assert find_collisions(workload, found).errors == []


def test_incident_starts_with_a_driver_without_the_ec2_health_check() -> None:
    assert not checks_ec2(seed.DRIVER_VERSION)
    assert driver.version("1.48") == driver.version("1.48.0") == seed.DRIVER_VERSION
    assert checks_ec2(driver.version("1.50"))


@pytest.mark.parametrize("version", ["1.4", "2", "latest"])
def test_unknown_driver_version_is_rejected_with_the_accepted_versions(version: str) -> None:
    with pytest.raises(
        driver.DriverError, match=r"accepted are 1\.48\.0, 1\.49\.0, 1\.50\.0, 1\.50\.1 and their first"
    ):
        driver.version(version)
