"""Trouble of claims: what no check explains is not judged, with its event. Trouble that is over raises no alarm."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from eks_rocketmq.doctor.diagnosis import Diagnosis, DiagnosisTarget, ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import (
    ClaimFacts,
    Facts,
    Unreadable,
)
from eks_rocketmq.doctor.report import render_text
from tests.unit.doctor.fault_facts import WAITING
from tests.unit.doctor.healthy_cases import (
    auto_mode_facts,
    broker_pod,
    claim,
    driver_pod,
    event,
    irsa_facts,
    pod_event,
    with_pending_claims,
)
from tests.unit.doctor.permission_faults import UNAUTHORIZED
from tests.unit.doctor.trouble_faults import (
    ATTACH_DENIED,
    CONFIG_MAP,
    DEADLINE,
    EARLIER,
    INCORRECT_STATE,
    LATER,
    LOST,
    MINIMAL,
    NOT_REGISTERED,
    RESIZE_DENIED,
    SUMMARY,
    TROUBLE_FAULTS,
    WAITING_POD,
    attach,
    happened,
    mount,
    resize,
    with_pod,
    with_resize,
)


def list_reasons(diagnosis: Diagnosis) -> list[str]:
    return [link.reason for chain in diagnosis.chains for link in chain.undecided]


UNEXPLAINED: list[tuple[str, Facts, str]] = [
    ("attach-unauthorized", with_pod(attach(ATTACH_DENIED)), ATTACH_DENIED),
    ("attach-incorrect-state", with_pod(attach(INCORRECT_STATE)), INCORRECT_STATE),
    (
        "attach-after-a-resize-that-is-over",
        with_pod(attach(INCORRECT_STATE), resize(f"{UNAUTHORIZED}with an explicit deny in a service control policy")),
        INCORRECT_STATE,
    ),
    ("attach-events-expired-but-one", with_pod(mount(SUMMARY)), SUMMARY),
    ("mount-deadline", with_pod(mount(DEADLINE)), DEADLINE),
    ("mount-not-registered-any-more", with_pod(mount(NOT_REGISTERED)), NOT_REGISTERED),
    ("mount-auto-mode", auto_mode_facts(pods=(WAITING_POD,), events=(mount(DEADLINE),)), DEADLINE),
    ("resize-unauthorized", with_resize(resize(RESIZE_DENIED)), RESIZE_DENIED),
    ("resize-file-system", with_resize(resize("resize2fs failed", "FileSystemResizeFailed")), "resize2fs failed"),
    (
        "resize-condition",
        with_resize(grown=claim(resizing=True, resize_error="ControllerResizeError: vol-0 is gone")),
        "ControllerResizeError: vol-0 is gone",
    ),
    (
        "resize-pod",
        with_resize(happened('NodeExpandVolume failed for volume "pvc-0" : EOF', "VolumeResizeFailed")),
        'NodeExpandVolume failed for volume "pvc-0" : EOF',
    ),
    (
        "lost",
        irsa_facts(
            claims=(claim(phase="Lost"), claim(1), claim(2)), events=(event(claim(), LOST, "ClaimLost"),), volumes=()
        ),
        LOST,
    ),
    ("lost-without-event", irsa_facts(claims=(claim(phase="Lost"),)), "no event"),
    (
        "missing-claim",
        irsa_facts(
            pods=(driver_pod(), broker_pod(node="", phase="Pending", ready=False)),
            events=(pod_event(broker_pod(), '0/3 nodes are available: persistentvolumeclaim "index" not found.'),),
        ),
        'persistentvolumeclaim "index" not found',
    ),
]


@pytest.mark.parametrize(("facts", "text"), [each[1:] for each in UNEXPLAINED], ids=[each[0] for each in UNEXPLAINED])
def test_trouble_that_no_check_explains_is_not_judged_and_shows_its_event(facts: Facts, text: str) -> None:
    diagnosis = diagnose(facts)
    assert (diagnosis.findings, diagnosis.exit_code) == ((), ExitCode.NOT_JUDGED)
    assert len(list_reasons(diagnosis)) == 1
    assert text in list_reasons(diagnosis)[0]
    assert text in render_text(diagnosis, facts)
    alone = diagnose(facts, DiagnosisTarget(claim=claim().id_))
    assert (alone.findings, alone.exit_code) == ((), ExitCode.NOT_JUDGED)


EXPLAINED = [pytest.param(cause, build(), id=variant) for cause, variant, build in TROUBLE_FAULTS]


@pytest.mark.parametrize(("cause", "facts"), EXPLAINED)
def test_trouble_with_a_known_cause_has_this_cause_alone(cause: str, facts: Facts) -> None:
    diagnosis = diagnose(facts)
    assert [each.id_ for each in diagnosis.findings] == [cause]
    assert [each for each in list_reasons(diagnosis) if "no check explains" in each] == []
    assert diagnosis.findings[0].affected


OVER: list[tuple[str, Facts]] = [
    ("ready", with_pod(attach(ATTACH_DENIED), mount(DEADLINE), pod=broker_pod())),
    ("running", with_pod(mount(DEADLINE), pod=broker_pod(ready=False))),
    (
        "attached",
        with_pod(
            attach(INCORRECT_STATE),
            happened('AttachVolume.Attach succeeded for volume "pvc-0" ', "SuccessfulAttachVolume"),
        ),
    ),
    ("image", with_pod(mount(DEADLINE), happened('Back-off pulling image "rocketmq"', "BackOff"))),
    ("sandbox", with_pod(attach(INCORRECT_STATE), happened("no IP address", "FailedCreatePodSandBox"))),
    (
        "multi-attach",
        with_pod(attach('Multi-Attach error for volume "pvc-0" Volume is in use'), happened("Pulling", "Pulling")),
    ),
    ("config-map", with_pod(mount(CONFIG_MAP))),
    ("config-map-summary", with_pod(mount(CONFIG_MAP), happened(SUMMARY, "FailedMount"))),
    ("resized-pod-starts", with_pod(resize(RESIZE_DENIED))),
    ("resized", with_resize(resize(RESIZE_DENIED), grown=claim())),
    (
        "grows-again",
        with_resize(resize(RESIZE_DENIED), replace(resize("", "FileSystemResizeSuccessful"), last_seen=LATER)),
    ),
    ("grows", with_resize(resize("External resizer is resizing volume pvc-0", "Resizing"))),
    ("no-claim-grows", irsa_facts(roles=(MINIMAL,))),
    ("bound", irsa_facts(events=(event(claim(), WAITING),))),
]


@pytest.mark.parametrize("facts", [each[1] for each in OVER], ids=[each[0] for each in OVER])
def test_trouble_that_is_over_or_none_of_the_claim_raises_no_alarm(facts: Facts) -> None:
    diagnosis = diagnose(facts)
    assert diagnosis.findings == ()
    assert list_reasons(diagnosis) == []
    assert diagnosis.exit_code is ExitCode.HEALTHY


def test_an_earlier_success_does_not_end_trouble() -> None:
    attached = happened('AttachVolume.Attach succeeded for volume "pvc-0" ', "SuccessfulAttachVolume", EARLIER)
    other = happened('AttachVolume.Attach succeeded for volume "pvc-7" ', "SuccessfulAttachVolume")
    for done in (attached, other):
        assert diagnose(with_pod(attach(INCORRECT_STATE), done)).exit_code is ExitCode.NOT_JUDGED


def test_trouble_of_one_volume_is_not_that_of_another_volume_of_the_pod() -> None:
    index = ClaimFacts("rocketmq", "index", "Bound", "gp2", volume="pvc-9")
    pod = replace(WAITING_POD, claims=(*WAITING_POD.claims, "index"))
    facts = with_pod(attach(INCORRECT_STATE), pod=pod, claims=(claim(), index))
    (chain,) = [each for each in diagnose(facts).chains if each.undecided]
    assert chain.subject == f"claim {claim().id_}"


@pytest.mark.parametrize("build", [lambda: with_pending_claims(irsa_facts(providers=()), WAITING)])
def test_a_broken_driver_explains_all_of_its_claims(build: Callable[[], Facts]) -> None:
    facts = build()
    facts = replace(
        facts,
        claims=(*facts.claims[:2], claim(2)),  # ty: ignore[not-subscriptable]
        pods=(driver_pod(), *map(broker_pod, range(2)), broker_pod(2, phase="Pending", ready=False)),
        events=(*facts.events, pod_event(broker_pod(2), ATTACH_DENIED.replace("pvc-0", "pvc-2"), "FailedAttachVolume")),  # ty: ignore
    )
    diagnosis = diagnose(facts)
    assert [each.id_ for each in diagnosis.findings] == ["oidc-provider-missing"]
    assert list_reasons(diagnosis) == []
    assert f"claim {claim(2).id_}" in diagnosis.findings[0].affected


def test_a_cause_of_one_class_does_not_explain_a_claim_of_another_class() -> None:
    missing = claim(7, phase="Pending", volume="", storage_class="gp4")
    facts = with_pending_claims(irsa_facts(), WAITING)
    facts = replace(facts, claims=(*facts.claims, missing))  # ty: ignore[not-iterable]
    diagnosis = diagnose(facts)
    assert [each.id_ for each in diagnosis.findings] == ["class-missing"]
    assert any(WAITING in each for each in list_reasons(diagnosis))


def test_a_claim_without_a_known_pod_list_is_not_judged() -> None:
    fact = Unreadable("list pods", "list pods", "403 Forbidden")
    diagnosis = diagnose(auto_mode_facts(pods=fact))
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
