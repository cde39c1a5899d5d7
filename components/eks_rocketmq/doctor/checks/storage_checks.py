"""Checks of the StorageClass of Pending claims: the class, its driver, its KMS key, and quotas. Pure."""

from dataclasses import dataclass

from eks_rocketmq.args.kubernetes_names import AUTO_MODE_DRIVER, EBS_DRIVER, EBS_DRIVERS
from eks_rocketmq.doctor.catalogue.symptoms import find_text
from eks_rocketmq.doctor.checks.chain import Finding, NotJudged, Outcome, explain_unreadable
from eks_rocketmq.doctor.checks.driver_checks import build_missing_driver_finding, has_auto_mode
from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.facts.cluster_facts import (
    AccountFacts,
    ClaimFacts,
    Facts,
    KeyFacts,
    RoleFacts,
    StorageClassFacts,
    Unreadable,
)
from eks_rocketmq.doctor.facts.fact_queries import (
    find_class,
    find_controller,
    get_class_key,
    list_claim_messages,
    list_readable,
    quote,
)
from eks_rocketmq.doctor.policies.permissions import find_denied_key_actions

_ENCRYPTED = "encrypted"
_ENABLED = "Enabled"


@dataclass(frozen=True)
class StorageCase:
    """Pending claims of one class."""

    facts: Facts
    claims: tuple[ClaimFacts, ...]
    identity: IdentityCase | None = None
    """Identity of the driver; None if the cluster has no driver of EBS."""

    @property
    def class_(self) -> StorageClassFacts | None:
        """Return the class of the claims."""
        return find_class(self.facts, self.claims[0])

    @property
    def messages(self) -> list[str]:
        """Return the messages of the claims' events."""
        return list_claim_messages(self.facts, self.claims)

    @property
    def key(self) -> KeyFacts | Unreadable | None:
        """Return the KMS key of the class, or the default key of the account. None if EC2 uses neither."""
        found = get_class_key(self.class_)
        for each in self.facts.keys if found else ():
            if (each.call.endswith(found)) if isinstance(each, Unreadable) else each.id_ == found:
                return each
        return None if found else self._default_key

    @property
    def _default_key(self) -> KeyFacts | Unreadable | None:
        """Return the default key of the account, if EC2 encrypts volumes of the class with it and names a key."""
        encryption, class_ = self.facts.encryption, self.class_
        if encryption is None or class_ is None or not find_text("kms", self.messages):
            return None
        if dict(class_.parameters).get(_ENCRYPTED, "").lower() == "true" or encryption.by_default is True:
            return encryption.key
        return encryption.by_default if isinstance(encryption.by_default, Unreadable) else None

    @property
    def key_owner(self) -> str:
        """Return whose key it is, for messages."""
        name = self.class_.name if self.class_ else ""
        return f"of StorageClass {name}" if get_class_key(self.class_) else "for EBS, the default of the account,"


def judge_class(case: StorageCase) -> Outcome:
    """Judge whether the class of the claims exists."""
    classes, name = case.facts.storage_classes, case.claims[0].storage_class
    if isinstance(classes, Unreadable):
        return explain_unreadable(classes)
    if name == "":
        return NotJudged("the claim asks for an existing volume without a class")
    if case.class_ is not None:
        return None
    names = ", ".join(each.name for each in classes) or "none"
    claim = case.claims[0]
    if name is None:
        return Finding(
            "no-default-class",
            f"claim {claim.id_} names no class, and no class is the default",
            "one default class, or a class in the claim",
            (f"classes of the cluster: {names}", *quote("message", find_text("no-class", case.messages))),
            (
                "kubectl patch storageclass <class> --patch "
                '\'{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}\'',
            ),
        )
    return Finding(
        "class-missing",
        f"StorageClass {name} does not exist",
        f"a class {name}, or claims with one of: {names}",
        (f"classes of the cluster: {names}", *quote("message", find_text("class-not-found", case.messages))),
        ("kubectl get storageclasses", f"kubectl apply -f <manifest-of-class-{name}>"),
    )


def judge_provisioner(case: StorageCase) -> Outcome:
    """Judge whether the cluster has the driver of the class."""
    class_, drivers = case.class_, case.facts.csi_drivers
    if class_ is None or isinstance(drivers, Unreadable):
        return explain_unreadable(drivers) if isinstance(drivers, Unreadable) else NotJudged("the class was not read")
    return _judge_driver(case, class_, drivers)


def _judge_driver(case: StorageCase, class_: StorageClassFacts, drivers: tuple[str, ...]) -> Outcome:
    auto_mode = has_auto_mode(case.facts)
    if class_.provisioner == AUTO_MODE_DRIVER:
        return None if auto_mode else _build_class_finding(class_, "EKS Auto Mode does not run block storage", drivers)
    if class_.provisioner not in EBS_DRIVERS:
        return NotJudged(f"provisioner {class_.provisioner} of StorageClass {class_.name} is not the driver of EBS")
    has_controller = isinstance(case.facts.workloads, Unreadable) or find_controller(case.facts) is not None
    if EBS_DRIVER in drivers and has_controller:
        return None
    if auto_mode:
        return _build_class_finding(class_, "the cluster has the driver of EKS Auto Mode only", drivers)
    return build_missing_driver_finding(case.facts, f"no driver serves {class_.provisioner}")


def _build_class_finding(class_: StorageClassFacts, reason: str, drivers: tuple[str, ...]) -> Finding:
    other = EBS_DRIVER if class_.provisioner == AUTO_MODE_DRIVER else AUTO_MODE_DRIVER
    return Finding(
        "class-of-another-driver",
        f"StorageClass {class_.name} has the provisioner {class_.provisioner}, and {reason}",
        f"a class with the provisioner {other}, and claims with that class",
        (f"CSIDrivers of the cluster: {', '.join(drivers) or 'none'}",),
        ("kubectl get storageclasses", f"kubectl apply -f <manifest-of-a-class-with-{other}>"),
    )


def judge_key(case: StorageCase) -> Outcome:
    """Judge whether the KMS key of the class, or the default one, exists and is enabled."""
    key = case.key
    if key is None:
        return None
    if isinstance(key, Unreadable):
        return explain_unreadable(key)
    evidence = quote("message", find_text("kms", case.messages))
    name = case.class_.name if case.class_ else ""
    if not key.exists:
        renew = (f"kubectl delete storageclass {name}", f"kubectl apply -f <manifest-of-class-{name}>")
        return Finding(
            "kms-key-missing",
            f"KMS key {key.id_} {case.key_owner} does not exist",
            "an existing key",
            evidence,
            renew if get_class_key(case.class_) else ("aws ec2 modify-ebs-default-kms-key-id --kms-key-id <key>",),
        )
    if key.state == _ENABLED:
        return None
    undo = () if key.state != "PendingDeletion" else (f"aws kms cancel-key-deletion --key-id {key.id_}",)
    return Finding(
        "kms-key-disabled",
        f"KMS key {key.id_} {case.key_owner} has state {key.state}",
        f"state {_ENABLED}",
        evidence,
        (*undo, f"aws kms enable-key --key-id {key.id_}"),
    )


def judge_key_permission(case: StorageCase) -> Outcome:
    """Judge whether the role of the driver may use the KMS key of the class, or the default one."""
    key, account = case.key, case.facts.account
    role = case.identity.role if case.identity else None
    if not isinstance(key, KeyFacts) or not key.exists or case.identity is None or case.identity.mode == "none":
        return None
    if not isinstance(role, RoleFacts) or not role.exists or not isinstance(account, AccountFacts):
        return NotJudged("the role was not read", optional=True, needs_aws=True)
    if isinstance(role.policies, Unreadable):
        return explain_unreadable(role.policies)
    if isinstance(key.policy, Unreadable):
        return explain_unreadable(key.policy)
    denied = find_denied_key_actions(role.policies, key.policy, key.arn or key.id_, role.arn, account)
    if not denied:
        return None
    return Finding(
        "kms-permission",
        f"role {role.arn} may not use KMS key {key.arn or key.id_}: {', '.join(denied)}",
        "these actions allowed in a policy of the role and by the key policy, and denied by neither",
        quote("message", find_text("kms", case.messages) or find_text("unauthorized", case.messages)),
        (
            f"aws iam put-role-policy --role-name {case.identity.role_name} --policy-name ebs-key "
            "--policy-document <policy-with-these-actions>",
            f"aws kms get-key-policy --key-id {key.id_} --policy-name default",
        ),
    )


def judge_quota(case: StorageCase) -> Outcome:
    """Judge whether a quota of EBS is used up."""
    message = find_text("quota", case.messages)
    if not message:
        return None
    return Finding(
        "volume-quota",
        "EC2 creates no volume, because a quota of the account is used up",
        "a free quota for the volumes of the claims",
        (*quote("message", message), *list_readable(case.facts.quotas)),
        (
            "aws service-quotas list-service-quotas --service-code ebs",
            "aws service-quotas request-service-quota-increase --service-code ebs --quota-code <code> "
            "--desired-value <value>",
        ),
    )
