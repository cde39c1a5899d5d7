"""Adoption, the first `up`, messages, and a second `up` without changes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from sandbox import incident, lifecycle, pins
from sandbox.aws.seed import HOST, PROVIDER_ARN, ROLE
from sandbox.engine import pulumi
from sandbox.layout import CLUSTER, ISSUER
from sandbox.messages.rocketmq_deployment import GROUP, TOPIC
from sandbox.processes import in_netns
from tests.e2e.running_sandbox import Sandbox, eventually

FIRST_MESSAGE = Path(__file__).parents[2] / "examples" / "first-message" / "first_message.py"
_PROCESSES = """
echo "1 $(</proc/1/comm)"
for each in /proc/[0-9]*; do
  if read -r name 2>/dev/null <"$each/comm" && [[ $name == java ]]; then
    while read -r key ids; do [[ $key != Uid: ]] || echo "java $ids"; done <"$each/status"
  fi
done
"""


def trust_conditions(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    with sandbox.aws("iam") as iam:
        document = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    return document["Statement"][0]["Condition"]


def originals(sandbox: Sandbox) -> dict[str, str]:
    """Return the UID of each pod and claim of the original brokers."""
    found = sandbox.objects("pods,pvc", "-n", incident.NAMESPACE, "-l", incident.SELECTOR)
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


def test_preview_before_adoption_names_the_adopt_command(sandbox: Sandbox) -> None:
    lifecycle.start_engine(sandbox.instance, sandbox.tools, sandbox.report)

    output = sandbox.pulumi("preview", "-s", "prod", ok=False)

    assert ROLE in output
    assert "eks-rocketmq adopt -s prod" in output


def test_adoption_imports_existing_resources_and_changes_nothing(sandbox: Sandbox) -> None:
    before = trust_conditions(sandbox)

    output = sandbox.adopt()

    assert ROLE in output
    assert f"{CLUSTER}:aws-ebs-csi-driver" in output
    assert f"+ {HOST}:aud" in output  # the next `up` corrects this
    assert ": (create)" not in output
    assert (
        trust_conditions(sandbox)
        == before
        == {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:kube-system:ebs-csi-controller-sa"}}
    )


def test_preview_corrects_the_trust_policy_and_replaces_nothing(sandbox: Sandbox) -> None:
    plan = sandbox.preview_steps("-s", "prod")

    assert plan.operations("aws:iam/role:Role") == {"update"}
    assert plan.operations("aws:eks/addon:Addon") <= {"update", "same"}
    assert plan.operations("aws:iam/openIdConnectProvider:OpenIdConnectProvider") == {"create"}
    assert not {"replace", "delete", "delete-replaced", "create-replacement"} & plan.operations()
    assert f"{HOST}:aud" in sandbox.pulumi("preview", "-s", "prod", "--diff")


def test_second_adoption_finds_nothing_to_adopt(sandbox: Sandbox) -> None:
    assert "nothing to adopt" in sandbox.adopt().lower()


def stack_sets(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the StatefulSets of the stack. The set of the original brokers is in the same namespace."""
    return sandbox.objects("statefulsets", "-n", "rocketmq", "-l", "app.kubernetes.io/managed-by=pulumi")


def test_adopt_recovers_the_first_up_after_the_engine_was_killed(sandbox: Sandbox) -> None:
    sandbox.kill_up("-s", "prod", when=lambda: stack_sets(sandbox))
    made = {item["metadata"]["uid"] for item in stack_sets(sandbox)}

    pulumi.ensure_stack(sandbox.instance, sandbox.tools)
    assert "was interrupted" in sandbox.adopt()

    assert "replace" not in sandbox.preview_steps("-s", "prod").operations()
    assert made <= {item["metadata"]["uid"] for item in stack_sets(sandbox)}


def test_up_resolves_the_incident_without_manual_steps(sandbox: Sandbox) -> None:
    before = originals(sandbox)

    output = sandbox.pulumi("up", "-s", "prod", "--yes")

    assert "Service rocketmq/rocketmq-broker selects the broker pods of this RocketMQ too" in " ".join(output.split())

    eventually(sandbox.original_claims_are_bound, 120, "the claims of the original brokers are bound")
    assert originals(sandbox) == before
    # The original brokers share the namespace and meet its Pod Security level, so their pods can be created again.
    ready = ("--for=condition=Ready", "--timeout=120s", "-l", incident.SELECTOR)
    sandbox.kubectl("-n", incident.NAMESPACE, "wait", "pods", *ready)
    sandbox.kubectl("-n", incident.NAMESPACE, "delete", "pod", "rocketmq-broker-0", "--grace-period=1", "--wait=true")
    eventually(lambda: len(originals(sandbox)) == len(before), 60, "the pod that was deleted is made again")
    assert trust_conditions(sandbox) == {
        "StringEquals": {
            f"{HOST}:sub": "system:serviceaccount:kube-system:ebs-csi-controller-sa",
            f"{HOST}:aud": "sts.amazonaws.com",
        }
    }
    with sandbox.aws("iam") as iam:
        providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert [provider["Arn"] for provider in providers] == [PROVIDER_ARN]


def test_pod_security_level_that_existing_pods_violate_is_rejected(sandbox: Sandbox) -> None:
    strict = sandbox.changed(lambda config: config["eks-rocketmq:rocketmq"].update(podSecurity="restricted"))

    output = " ".join(sandbox.pulumi("preview", "-s", "prod", *strict, ok=False).split())

    assert "Namespace 'rocketmq' would enforce Pod Security 'restricted', which pods in it do not meet" in output
    assert "rocketmq-broker-0 (and 1 other pod): allowPrivilegeEscalation != false" in output
    assert "rocketmq-broker-a" not in output, "the stack's own pods meet it"


def test_volumes_are_gp2_and_in_the_zones_of_their_brokers(sandbox: Sandbox) -> None:
    volumes = sandbox.driver_volumes()
    brokers = [volume for volume in volumes if volume["Size"] == 100]

    assert {volume["VolumeType"] for volume in volumes} == {"gp2"}
    assert sorted(volume["AvailabilityZone"][-1] for volume in brokers) == ["a", "b", "c"]
    assert {volume["State"] for volume in brokers} == {"in-use"}


def test_pods_run_as_rocketmq_user_under_enforced_pod_security(sandbox: Sandbox) -> None:
    (namespace,) = [item for item in sandbox.objects("namespaces") if item["metadata"]["name"] == "rocketmq"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"

    for pod in sandbox.objects("pods", "-n", "rocketmq", "-l", "app.kubernetes.io/name=rocketmq"):
        name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
        said = sandbox.kubectl("-n", "rocketmq", "exec", name, "-c", container, "--", "bash", "-c", _PROCESSES)
        running = dict(line.split(maxsplit=1) for line in said.splitlines())
        assert running["java"].split() == ["3000"] * 4, name
        # Process 1 is not the JVM. It reaps the processes that probes leave behind.
        assert running["1"] == "pause", name


def test_ten_messages_are_sent_and_received_through_the_proxy(sandbox: Sandbox) -> None:
    sandbox.rocketmq.ensure_topic()

    sent = sandbox.rocketmq.send(10, "ten")

    assert sent == [f"ten-{number}" for number in range(10)]
    assert sandbox.rocketmq.receive("ten", 10) == sorted(sent)


def test_first_message_goes_through_a_port_forward(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.rocketmq.ensure_topic()
    kubectl = [str(sandbox.tools.bin / "kubectl"), f"--kubeconfig={sandbox.instance.admin_kubeconfig}"]
    forward = [*kubectl, "--namespace=rocketmq", "port-forward", "service/rocketmq-proxy", "8081"]
    client = [str(sandbox.tools.client_python), str(FIRST_MESSAGE), "localhost:8081", TOPIC, GROUP]
    netns = sandbox.instance.control_netns
    with subprocess.Popen(in_netns(netns, forward), stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout is not None
            assert "Forwarding" in forwarding.stdout.readline()
            result = subprocess.run(
                in_netns(netns, client),
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
                env={**os.environ, "HOME": str(tmp_path)},  # the client writes to ~/logs
            )
        finally:
            forwarding.terminate()
    assert result.returncode == 0, result.stdout + result.stderr
    printed = result.stdout.splitlines()
    message_id = printed[0].removeprefix("sent").strip()
    assert printed[-1] == f"received {message_id} hello"


def test_doctor_finds_no_fault_after_the_cure(sandbox: Sandbox) -> None:
    assert sandbox.diagnose() == (0, [])


def test_status_shows_the_healthy_deployment(sandbox: Sandbox) -> None:
    code, report = sandbox.status()

    assert (code, report["result"]) == (0, "healthy"), [*report["findings"], *report["notJudged"]]
    assert report["identity"]["state"] == "ok"
    (group,) = report["groups"]
    roles = {each["pod"]: each["role"] for each in group["members"]}
    assert sorted(roles.values()) == ["master", "slave", "slave"]
    assert roles[group["master"]] == "master"
    assert (group["inSync"], group["minInSync"], group["epoch"] > 0) == (3, 2, True)
    assert {each["lagBytes"] for each in group["members"]} == {0}
    assert {each["version"] for each in group["members"]} == {pins.ROCKETMQ}
    assert report["controllerLeader"] in {f"rocketmq-controller-{index}" for index in range(3)}
    pods = {each["name"]: each for each in report["pods"]}
    own = sandbox.objects("pods", "-n", "rocketmq", "-l", "app.kubernetes.io/part-of=rocketmq")
    assert {*pods} == {each["metadata"]["name"] for each in own}
    assert len({pods[each]["zone"] for each in roles}) == 3
    for each in report["pods"]:
        if each["role"] in {"broker", "controller"}:
            assert 0 < each["claim"]["usedBytes"] < each["claim"]["capacityBytes"] == each["claim"]["requestedBytes"]
            assert each["claim"]["growth"] == ""
    assert all(each["updated"] == each["desired"] for each in report["workloads"])


def test_second_up_makes_no_changes(sandbox: Sandbox) -> None:
    sandbox.pulumi("up", "-s", "prod", "--yes", "--expect-no-changes")


def test_state_secrets_are_encrypted_with_a_passphrase(sandbox: Sandbox) -> None:
    state = json.loads(sandbox.pulumi("stack", "export", "-s", "prod"))
    assert state["deployment"]["secrets_providers"]["type"] == "passphrase"
