"""The doctor against each fault that the sandbox can make, as a user with read rights only."""

import dataclasses
import functools
import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import yaml

from eks_rocketmq.doctor.collectors.aws_reader import AwsReader
from eks_rocketmq.doctor.collectors.cluster_reader import ClusterReader
from eks_rocketmq.doctor.collectors.collect import CollectionScope, collect_facts
from eks_rocketmq.doctor.diagnosis import Diagnosis, DiagnosisTarget, ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.doctor.required_access import AWS_ACTIONS, build_cluster_role, build_iam_policy
from sandbox.aws import call_log
from sandbox.cluster import control_plane
from sandbox.cluster.netns import inside
from sandbox.doctor_faults import made_faults, probe_claim
from sandbox.doctor_faults.fault_context import FaultContext
from sandbox.doctor_faults.fault_table import FAULTS
from sandbox.engine import pulumi
from sandbox.layout import CLUSTER, REGION
from sandbox.polling import wait_until
from tests.e2e.running_sandbox import Sandbox

USER = "doctor"
TOKEN_SECONDS = 600.0  # EKS accepts a token for 15 minutes
READY_SECONDS = 60.0
TRANSIENT = ("events", "pods", "quotas", "trials")
"""Facts that differ from one reading to the next."""


@dataclass
class Doctor:
    """The doctor with the keys of an IAM user whose rights are those that its documentation asks for."""

    sandbox: Sandbox
    keys: dict[str, str]
    kubeconfig: str = ""
    renewed: float = field(default=float("-inf"))

    def read(self) -> Facts:
        """Return the facts of the cluster."""
        if time.monotonic() - self.renewed > TOKEN_SECONDS:
            self._renew()
        with inside(self.sandbox.instance.control_netns):
            return collect_facts(self.aws, ClusterReader({"kubeconfig": self.kubeconfig}), CollectionScope(CLUSTER))

    @functools.cached_property
    def aws(self) -> AwsReader:
        """Reader for all readings: new clients take half a second."""
        session = boto3.Session(self.keys["AWS_ACCESS_KEY_ID"], self.keys["AWS_SECRET_ACCESS_KEY"], None, REGION)
        return AwsReader(session, REGION)

    def _renew(self) -> None:
        """Write a kubeconfig with a token, which spares a process for each reading."""
        self.renewed = time.monotonic()
        argv = ["aws", "eks", "get-token", "--cluster-name", CLUSTER, "--output", "json"]
        result = pulumi.execute(self.sandbox.instance, self.sandbox.tools, argv, capture=True, extra=self.keys)
        document = yaml.safe_load(self.sandbox.instance.admin_kubeconfig.read_text())
        for user in document["users"]:
            user["user"] = {"token": json.loads(result.output)["status"]["token"]}
        file = self.sandbox.instance.root / f"doctor-{self.renewed:.0f}.kubeconfig"
        file.write_text(yaml.safe_dump(document))
        self.kubeconfig = str(file)


@pytest.fixture(scope="module")
def doctor(stack: Sandbox) -> Iterator[Doctor]:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": USER},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "eks-rocketmq-doctor"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": USER}],
    }
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": [build_cluster_role(), binding]})
    with stack.aws("iam") as iam:
        arn = iam.create_user(UserName=USER)["User"]["Arn"]
        iam.put_user_policy(UserName=USER, PolicyName=USER, PolicyDocument=json.dumps(build_iam_policy()))
        made = iam.create_access_key(UserName=USER)["AccessKey"]
    with stack.aws("eks") as eks:
        eks.create_access_entry(clusterName=CLUSTER, principalArn=arn, kubernetesGroups=[USER])
    stack.kubectl("apply", "-f", "-", stdin=objects)
    keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", stack.instance.aws_endpoint)
        yield Doctor(stack, keys)
    stack.kubectl("delete", "-f", "-", stdin=objects)
    with stack.aws("eks") as eks:
        eks.delete_access_entry(clusterName=CLUSTER, principalArn=arn)
    with stack.aws("iam") as iam:
        iam.delete_access_key(UserName=USER, AccessKeyId=made["AccessKeyId"])
        iam.delete_user_policy(UserName=USER, PolicyName=USER)
        iam.delete_user(UserName=USER)


@pytest.fixture(scope="module")
def context(stack: Sandbox) -> Iterator[FaultContext]:
    found = FaultContext(stack.instance, stack.tools)
    yield found
    made_faults.mend(found)


@pytest.fixture(scope="module")
def healthy(doctor: Doctor) -> Facts:
    facts = doctor.read()
    assert diagnose(facts).exit_code is ExitCode.HEALTHY
    return facts


def causes(diagnosis: Diagnosis) -> list[str]:
    """Return the causes, each followed by what is broken behind it."""
    chains = [each for each in diagnosis.chains if each.cause]
    return [found.id_ for each in chains for found in (each.cause, *each.further) if found]


def state(facts: Facts) -> dict[str, Any]:
    """Return the facts that only a change of cluster or account changes."""
    names = [each.name for each in dataclasses.fields(facts) if each.name not in TRANSIENT]
    return {name: getattr(facts, name) for name in names}


def read_restored(doctor: Doctor, healthy: Facts) -> Facts:
    """Read the facts until they are as before the faults. Return those of the last reading.

    On a busy machine a pod of the driver can be unready for seconds, whatever the fault was.
    """
    readings: list[Facts] = []

    def restored() -> bool:
        readings.append(doctor.read())
        return state(readings[-1]) == state(healthy)

    wait_until(restored, READY_SECONDS, every=0.5)
    return readings[-1]


@pytest.mark.parametrize("name", FAULTS)
def test_doctor_names_the_cause_of_a_fault_and_no_other(
    doctor: Doctor, context: FaultContext, healthy: Facts, name: str
) -> None:
    made_faults.make(context, name, restart=False)
    try:
        diagnosis = diagnose(doctor.read())
    finally:
        made_faults.mend(context, name)

    assert causes(diagnosis) == [FAULTS[name].cause]
    assert diagnosis.exit_code is ExitCode.BROKEN
    mended = read_restored(doctor, healthy)
    assert diagnose(mended).exit_code is ExitCode.HEALTHY
    assert state(mended) == state(healthy)


def test_two_faults_of_one_chain_and_one_of_another_are_repaired_by_the_printed_commands(
    doctor: Doctor, context: FaultContext, healthy: Facts
) -> None:
    for name in ("oidc-provider-missing", "trust-condition-key", "class-missing"):
        made_faults.make(context, name, restart=False)

    diagnosis = diagnose(doctor.read())

    assert [each.id_ for each in diagnosis.findings] == ["oidc-provider-missing", "class-missing"]
    assert causes(diagnosis) == ["oidc-provider-missing", "trust-condition-key", "class-missing"]
    (identity,) = [each for each in diagnosis.chains if each.cause and each.cause.id_ == "oidc-provider-missing"]
    assert identity.cause
    for finding in (identity.cause, *identity.further):
        for command in finding.commands:
            result = pulumi.execute(context.instance, context.tools, shlex.split(command), capture=True)
            assert result.code == 0, result.output
    assert causes(diagnose(doctor.read())) == ["class-missing"]
    assert made_faults.mend(context) == ["class-missing", "trust-condition-key", "oidc-provider-missing"]
    assert state(read_restored(doctor, healthy)) == state(healthy)


def test_claim_shows_the_fault_after_the_driver_was_restarted(doctor: Doctor, context: FaultContext) -> None:
    made_faults.make(context, "trust-subject")
    try:
        denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
        probe_claim.await_event(context, denied)
        diagnosis = diagnose(doctor.read(), DiagnosisTarget(claim="default/fault"))
    finally:
        made_faults.mend(context)
    assert causes(diagnosis) == ["trust-subject"]
    assert diagnosis.findings[0].affected == ("claim default/fault",)
    assert any(denied in each for each in diagnosis.findings[0].evidence)


def test_doctor_has_read_only_and_its_documented_rights_suffice(doctor: Doctor, healthy: Facts) -> None:
    del healthy  # at least one reading has ended
    calls = [
        each
        for each in call_log.read(doctor.sandbox.instance.logs)
        if each.access_key == doctor.keys["AWS_ACCESS_KEY_ID"]
    ]
    assert {"iam:GetRole", "eks:DescribeCluster", "iam:SimulatePrincipalPolicy"} <= {each.action for each in calls}
    assert {each.action for each in calls} <= {*AWS_ACTIONS, "sts:GetCallerIdentity"}
    assert [each for each in calls if not each.allowed] == []

    log = control_plane.audit_log(doctor.sandbox.instance).read_text().splitlines()
    events = [
        event for line in log if (event := json.loads(line))["user"].get("username", "").endswith(f":user/{USER}")
    ]
    objects = [
        each for each in events if each["objectRef"]["resource"] != "serviceaccounts" or each["verb"] != "create"
    ]
    tokens = [each for each in events if each not in objects]
    assert {each["verb"] for each in objects} == {"get", "list"}
    assert {each["objectRef"].get("subresource") for each in tokens} == {"token"}
    # The log of a container that has not started is a bad request.
    logs = [each for each in objects if each["objectRef"].get("subresource") == "log"]
    assert {each["responseStatus"]["code"] for each in logs} <= {200, 400, 404}
    assert {each["responseStatus"]["code"] for each in events if each not in logs} <= {200, 201, 404}


def test_nothing_of_the_faults_is_left_in_the_stack(doctor: Doctor) -> None:
    doctor.sandbox.pulumi("preview", "-s", "prod", "--refresh", "--expect-no-changes")
