"""Messages that a fact confirms or refutes: version of the driver, kernel, modifications, and the default KMS key."""

from dataclasses import replace

import pytest

from eks_rocketmq.doctor.diagnosis import ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import AddonFacts, Facts, KeyFacts, ModificationFacts, Unreadable
from tests.unit.doctor.driver_faults import LOOPBACK_HOSTS, with_old_driver
from tests.unit.doctor.fault_facts import with_log
from tests.unit.doctor.healthy_cases import KEY_ARN, irsa_facts
from tests.unit.doctor.permission_faults import ROOT_KEY_POLICY, USE_KEY, with_default_key
from tests.unit.doctor.volume_faults import with_modification, with_unknown_features

AWS_MANAGED = (
    '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:Decrypt", "kms:CreateGrant", '
    '"kms:GenerateDataKey*"], "Resource": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "140023393377", '
    '"kms:ViaService": "ec2.ap-southeast-1.amazonaws.com"}}}]}'
)
DENIED = Unreadable("eks:ListAddons", "eks:ListAddons", "AccessDenied")


def list_causes(facts: Facts) -> list[str]:
    return [each.id_ for each in diagnose(facts).findings]


def list_reasons(facts: Facts) -> str:
    diagnosis = diagnose(facts)
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
    return "; ".join(link.reason for chain in diagnosis.chains for link in chain.undecided)


@pytest.mark.parametrize(("version", "old"), [("1.9.0", True), ("1.25.0", True), ("1.26.0", False), ("2.0.0", False)])
@pytest.mark.parametrize("message", ["", LOOPBACK_HOSTS])
def test_the_version_decides_whether_the_driver_supports_pod_identity(message: str, version: str, old: bool) -> None:
    assert (list_causes(with_old_driver(message, version)) == ["driver-too-old"]) is old


def test_the_version_of_the_addon_counts_for_an_image_without_one() -> None:
    for addon, causes in (("v1.25.0-eksbuild.1", ["driver-too-old"]), ("v1.26.0-eksbuild.1", [])):
        facts = with_old_driver("", "latest")
        facts = replace(facts, addons=(AddonFacts("aws-ebs-csi-driver", addon, "ACTIVE"),))
        assert list_causes(facts) == causes


def test_without_a_version_the_message_decides() -> None:
    unknown = replace(with_old_driver(LOOPBACK_HOSTS, "latest"), addons=())
    assert list_causes(unknown) == ["driver-too-old"]
    assert list_causes(replace(with_old_driver("", "latest"), addons=())) == []
    denied = replace(unknown, addons=DENIED)
    assert list_causes(denied) == []
    assert "eks:ListAddons failed" in list_reasons(denied)


def test_an_old_driver_with_irsa_has_no_fault() -> None:
    facts = irsa_facts()
    workloads = tuple(replace(each, images=("driver:v1.20.0",)) for each in facts.workloads)  # ty: ignore[not-iterable]
    assert list_causes(replace(facts, workloads=workloads)) == []


@pytest.mark.parametrize(
    ("kernel", "driver", "unknown"),
    [
        ("4.14.355-276.639.amzn2.x86_64", "1.30.0", True),
        ("5.4.0", "1.30.0", True),
        ("5.10.226-214.880.amzn2.x86_64", "1.30.0", False),
        ("5.10.226-214.880.amzn2.x86_64", "1.49.0", True),
        ("5.10.226-214.880.amzn2.x86_64", "latest", True),
        ("5.19.0", "1.49.0", False),
        ("6.1.141-155.222.amzn2023.x86_64", "1.50.0", False),
        ("", "1.50.0", True),
    ],
)
@pytest.mark.parametrize("file_system", ["xfs", ""])
def test_the_kernel_decides_whether_it_knows_the_features(
    kernel: str, driver: str, unknown: bool, file_system: str
) -> None:
    facts = replace(with_unknown_features(kernel, file_system, driver), addons=())
    if unknown:
        (finding,) = diagnose(facts).findings
        assert (finding.id_, finding.affected) == ("filesystem-features", ("pod rocketmq/rocketmq-broker-a-0",))
        assert f"kernel {kernel or 'of unknown version'}" in finding.is_
        assert "wrong fs type" in finding.evidence[0]
        return
    assert list_causes(facts) == []
    assert f"Kernel {kernel} of node node-a knows the features" in list_reasons(facts)


def test_features_of_xfs_do_not_explain_another_file_system() -> None:
    facts = with_unknown_features(file_system="ext4")
    assert list_causes(facts) == []
    assert "Features of ext4 do not explain it" in list_reasons(facts)


def test_the_previous_modification_is_named() -> None:
    for state, text in (
        ("modifying", "began 2026-11-28T08:00:00Z and is modifying, 40 %"),
        ("optimizing", "began 2026-11-28T08:00:00Z and is optimizing, 40 %"),
        ("completed", "began 2026-11-28T08:00:00Z and is completed"),
    ):
        facts = with_modification(ModificationFacts("vol-0", state, "2026-11-28T08:00:00Z", 40))
        (finding,) = diagnose(facts).findings
        assert finding.id_ == "modification-rate"
        assert finding.is_.endswith(text)


def test_a_later_modification_refutes_the_message() -> None:
    # The message is of 10:00.
    for started, causes in (("2026-11-28T09:59:59Z", ["modification-rate"]), ("2026-11-28T10:00:01Z", [])):
        assert list_causes(with_modification(ModificationFacts("vol-0", "optimizing", started, 1))) == causes
    other = ModificationFacts("vol-1", "optimizing", "2026-11-28T10:00:01Z", 1)
    assert list_causes(with_modification(other)) == ["modification-rate"]


def test_the_default_key_is_judged_if_ec2_encrypts_with_it() -> None:
    disabled = KeyFacts("alias/aws/ebs", arn=KEY_ARN, state="Disabled", policy=ROOT_KEY_POLICY)
    for encrypted, by_default, causes in (
        ("", True, ["kms-key-disabled"]),
        ("", False, []),
        ("true", False, ["kms-key-disabled"]),
        ("false", False, []),
        ("false", True, ["kms-key-disabled"]),
    ):
        assert list_causes(with_default_key(disabled, encrypted=encrypted, by_default=by_default)) == causes
    # Another message does not concern the key.
    assert list_causes(with_default_key(disabled, message="waiting for a volume")) == []
    (finding,) = diagnose(with_default_key(disabled)).findings
    assert finding.is_ == "KMS key alias/aws/ebs for EBS, the default of the account, has state Disabled"


def test_the_key_that_aws_manages_needs_no_permission() -> None:
    managed = KeyFacts("alias/aws/ebs", arn=KEY_ARN, policy=AWS_MANAGED)
    assert list_causes(with_default_key(managed)) == []
    own = KeyFacts(KEY_ARN, arn=KEY_ARN, policy=ROOT_KEY_POLICY)
    assert list_causes(with_default_key(own)) == ["kms-permission"]
    assert list_causes(with_default_key(own, USE_KEY)) == []


def test_a_missing_default_key_is_replaced_for_the_account() -> None:
    (finding,) = diagnose(with_default_key(KeyFacts(KEY_ARN, exists=False))).findings
    assert finding.commands == ("aws ec2 modify-ebs-default-kms-key-id --kms-key-id <key>",)


def test_a_key_that_the_class_names_is_not_the_default_one() -> None:
    facts = with_default_key(KeyFacts(KEY_ARN, exists=False))
    assert not isinstance(facts.storage_classes, Unreadable)
    named = tuple(replace(each, parameters=(("kmsKeyId", "k"),)) for each in facts.storage_classes)
    key = KeyFacts("k", arn=KEY_ARN, policy=AWS_MANAGED)
    assert list_causes(replace(facts, storage_classes=named, keys=(key,))) == []


def test_the_message_of_an_earlier_version_is_not_the_cause() -> None:
    assert "driver-too-old" not in list_causes(with_log(LOOPBACK_HOSTS))
