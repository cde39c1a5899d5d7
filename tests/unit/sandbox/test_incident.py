"""The incident of the sandbox: where it happens, to which driver, and that the stack can be deployed beside it."""

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
(SET,) = [each for each in OBJECTS if each["kind"] == "StatefulSet"]


def prod(key: str) -> Any:
    return yaml.safe_load(Path(REPOSITORY / "Pulumi.prod.yaml").read_text())["config"][f"eks-rocketmq:{key}"]


NAMESPACE = prod("rocketmq")["namespace"]


def test_it_happens_in_the_namespace_of_the_stack_with_the_original_label_and_class() -> None:
    assert {each["metadata"]["namespace"] for each in OBJECTS} == {incident.NAMESPACE, NAMESPACE} == {"rocketmq"}
    assert SET["spec"]["template"]["metadata"]["labels"] == {"app": "rocketmq-broker"}
    (claim,) = SET["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == prod("storage")["className"] == "gp2"


@pytest.mark.parametrize(
    ("role", "group"),
    [("nameserver", None), ("controller", None), ("broker", "broker-a"), ("proxy", None)],
)
def test_the_stack_can_be_deployed_beside_it(role: str, group: str | None) -> None:
    name = labels.format_app_label(role) if group is None else labels.format_set_name(group)
    own = labels.build_labels(role, "5.5.0", group)
    kind = "Deployment" if role == labels.PROXY else "StatefulSet"
    workload = Workload(NAMESPACE, kind, name, role, labels.build_selector(role, group), own, own)
    template = SET["spec"]["template"]
    pod = {"metadata": {"namespace": "rocketmq", "name": "rocketmq-broker-0", **template["metadata"]}}
    found = {each["kind"]: [each] for each in OBJECTS} | {"Pod": [pod]}
    assert find_collisions(workload, found).errors == []


def test_it_begins_with_a_driver_that_says_the_cause_in_the_claims_event() -> None:
    assert not checks_ec2(seed.DRIVER_VERSION)
    assert driver.version("1.48") == driver.version("1.48.0") == seed.DRIVER_VERSION
    assert checks_ec2(driver.version("1.50"))


@pytest.mark.parametrize("given", ["1.4", "2", "latest"])
def test_another_driver_is_refused_with_those_that_there_are(given: str) -> None:
    with pytest.raises(
        driver.DriverError, match=r"accepted are 1\.48\.0, 1\.49\.0, 1\.50\.0, 1\.50\.1 and their first"
    ):
        driver.version(given)
