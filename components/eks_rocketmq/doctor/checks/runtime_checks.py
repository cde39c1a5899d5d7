"""Checks of what runs: webhook, pods, Pod Identity agent, reach of STS and EC2, and the controller. Pure."""

import re

from eks_rocketmq.args.kubernetes_names import EBS_CSI, POD_IDENTITY_AGENT
from eks_rocketmq.doctor.catalogue.symptoms import UNREACHABLE, find_text, is_known_message
from eks_rocketmq.doctor.checks.chain import Finding, NotJudged, Outcome, explain_unreadable
from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.checks.identity_checks import build_restart_commands
from eks_rocketmq.doctor.checks.reach_checks import judge_network
from eks_rocketmq.doctor.facts.cluster_facts import PodFacts, RoleFacts, TrialFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import (
    find_addon,
    find_controller,
    find_daemon_set,
    find_driver_version,
    list_events,
    quote,
)

_BLOCKED_VERSION = "1.47.0"
_POD_IDENTITY_VERSION = (1, 26, 0)
"""First version of the driver whose AWS SDK accepts the address of the Pod Identity agent. 1.25.0 does not: its issue
1870."""
_VERSION = re.compile(r":v?(\d+\.\d+\.\d+)")


def judge_agent(case: IdentityCase) -> Outcome:
    """Judge whether the agent of Pod Identity runs. One pod that is not ready may be that of a dead node."""
    if case.mode != "pod-identity" or (case.cluster and case.cluster.auto_mode_storage):
        return None
    if isinstance(case.facts.workloads, Unreadable):
        return explain_unreadable(case.facts.workloads)
    agent, message = find_daemon_set(case.facts, agent=True), find_text("credentials-timeout", case.messages)
    state = f"{agent.ready} of {agent.desired} pods of {POD_IDENTITY_AGENT} are ready" if agent else ""
    if agent and (agent.ready or not (agent.desired or case.pods)):
        if agent.ready >= agent.desired:
            return None
        if not message:
            return NotJudged(state, optional=True)
    cluster = case.cluster.name if case.cluster else "<cluster>"
    install = f"aws eks create-addon --cluster-name {cluster} --addon-name {POD_IDENTITY_AGENT}"
    return Finding(
        "pod-identity-agent-missing",
        state or f"no DaemonSet {POD_IDENTITY_AGENT}",
        f"a ready pod of {POD_IDENTITY_AGENT} on each node",
        evidence=quote("message", message),
        commands=(f"kubectl -n {agent.namespace} describe daemonset {agent.name}",) if agent else (install,),
    )


def judge_webhook(case: IdentityCase) -> Outcome:
    """Judge whether the webhook exists that gives pods their role."""
    if case.mode == "none" or case.facts.webhook is not False or not _list_pods_without_role(case):
        return None
    return Finding(
        "webhook-missing",
        "no MutatingWebhookConfiguration pod-identity-webhook, and pods without role",
        "the webhook of EKS",
        evidence=tuple(f"pod {each.id_} has no role" for each in _list_pods_without_role(case)),
        commands=("kubectl get mutatingwebhookconfigurations", *build_restart_commands(case)),
    )


def judge_pods(case: IdentityCase) -> Outcome:
    """Judge whether the running pods have received role and token."""
    if case.mode == "none":
        return None
    if isinstance(case.facts.pods, Unreadable):
        return explain_unreadable(case.facts.pods)
    stale = _list_pods_without_role(case)
    if not stale:
        return None
    if isinstance(case.facts.webhook, Unreadable):
        return explain_unreadable(case.facts.webhook)
    return Finding(
        "pods-without-role",
        "; ".join(f"pod {each.id_} of {each.created or 'unknown age'} has {_describe_role(each)}" for each in stale),
        f"pods with role {case.role_arn}",
        evidence=quote("message", find_text("no-credentials", case.messages)),
        commands=build_restart_commands(case)
        or tuple(f"kubectl -n {each.namespace} delete pod {each.name}" for each in stale),
        affected=tuple(f"pod {each.id_}" for each in stale),
    )


def _list_pods_without_role(case: IdentityCase) -> list[PodFacts]:
    if case.mode == "pod-identity":
        return [each for each in case.pods if not dict(each.environment).get("AWS_CONTAINER_CREDENTIALS_FULL_URI")]
    return [
        each
        for each in case.pods
        if dict(each.environment).get("AWS_ROLE_ARN") != case.role_arn
        or not dict(each.environment).get("AWS_WEB_IDENTITY_TOKEN_FILE")
    ]


def _describe_role(pod: PodFacts) -> str:
    role = dict(pod.environment).get("AWS_ROLE_ARN")
    return f"role {role}" if role else "no role"


def judge_reach(case: IdentityCase) -> Outcome:
    """Judge the messages of pods that cannot reach an endpoint or reject its answer."""
    messages = case.messages
    if outcome := _judge_version(case):
        return outcome
    if message := find_text("thumbprint", messages):
        return Finding(
            "oidc-thumbprint",
            "STS does not accept the certificate of the issuer",
            "the certificate of AWS, or its certificate authority among the provider's thumbprints",
            quote("message", message),
            (
                "aws iam update-open-id-connect-provider-thumbprint "
                f"--open-id-connect-provider-arn {case.provider_arn} --thumbprint-list <thumbprint>",
            ),
        )
    for service, symptom in UNREACHABLE.items():
        if message := find_text(symptom, messages):
            return judge_network(case, service, message)
    if message := find_text("credentials-timeout", messages):
        for each in (case.facts.pod_identities, case.facts.workloads):
            if isinstance(each, Unreadable):
                return explain_unreadable(each)
        return Finding(
            "credentials-endpoint",
            "the credentials endpoint does not answer",
            "an answer of STS or of the Pod Identity agent",
            quote("message", message),
            (
                f"kubectl -n kube-system logs daemonset/{POD_IDENTITY_AGENT}",
                "kubectl get networkpolicies --all-namespaces",
            ),
        )
    return None


def _judge_version(case: IdentityCase) -> Outcome:
    """Judge whether the driver is too old for Pod Identity. Its message alone may be older than an upgrade."""
    message = find_text("loopback-hosts", case.messages)
    if not case.is_driver or not (message or case.mode == "pod-identity"):
        return None
    version = find_driver_version(case.facts)
    if version is None and message and isinstance(case.facts.addons, Unreadable):
        return explain_unreadable(case.facts.addons)
    is_old = version < _POD_IDENTITY_VERSION if version else bool(message)
    if not is_old:
        return None
    needed = ".".join(map(str, _POD_IDENTITY_VERSION))
    return _build_version_finding(case, "driver-too-old", message, f"version {needed} or later, for Pod Identity")


def judge_start(case: IdentityCase) -> Outcome:
    """Judge whether the version of the driver hangs at its start."""
    controller = find_controller(case.facts)
    blocked = [
        each
        for each in case.pods
        if not each.ready
        and not isinstance(each.log, Unreadable)
        and each.log
        and find_text("initializing-metadata", each.log[-1:])
    ]
    if not case.is_driver or controller is None or not blocked:
        return None
    if not any(_BLOCKED_VERSION in _VERSION.findall(image) for image in controller.images):
        return None
    return _build_version_finding(case, "driver-start-blocked", "Initializing metadata (last line of the log)")


def _build_version_finding(
    case: IdentityCase, id_: str, message: str, should_be: str = "a later version of the driver"
) -> Finding:
    controller, addon = find_controller(case.facts), find_addon(case.facts, EBS_CSI)
    images = ", ".join(controller.images) if controller else "unknown image"
    cluster = case.cluster.name if case.cluster else "<cluster>"
    return Finding(
        id_,
        f"driver {addon.version if addon else images}",
        should_be,
        quote("message", message),
        (f"aws eks update-addon --cluster-name {cluster} --addon-name {EBS_CSI} --addon-version <version>",)
        if addon
        else (f"kubectl -n {case.namespace} get deployment -o wide",),
    )


def judge_trial(case: IdentityCase) -> Outcome:
    """Judge the answer of STS to a token of the service account, or its latest message to the pods."""
    trial = case.trial
    if isinstance(trial, Unreadable):
        return NotJudged(f"no trial: {trial.reason}", trial.permission, optional=True)
    if case.is_proved:
        return None
    if isinstance(trial, TrialFacts) and not trial.succeeded:
        return NotJudged(f"STS rejects the token, and no check explains it: {trial.error}")
    for symptom in ("provider", "audience", "assume-role-denied"):
        if message := find_text(symptom, case.messages):
            if case.cluster is None or not isinstance(case.role, RoleFacts):
                return NotJudged(f"AWS was not read, and STS rejected a token: {message}")
            return NotJudged(
                f"STS rejected a token earlier, and provider, role and trust policy are right now: {message}. "
                "Wait until the pods try again, or run without --offline"
            )
    return None


def judge_controller(case: IdentityCase) -> Outcome:
    """Judge whether the controller of the driver runs."""
    controller = find_controller(case.facts)
    if not case.is_driver or controller is None or (controller.desired and controller.ready >= controller.desired):
        return None
    events = [
        f"pod {each.id_}: {event.message}"
        for each in case.pods
        for event in list_events(case.facts, "Pod", each.namespace, each.name)[:1]
    ]
    logs = [
        f"log of pod {each.id_}: {next(filter(is_known_message, reversed(each.log)), each.log[-1])}"
        for each in case.pods
        if not isinstance(each.log, Unreadable) and each.log and not each.ready
    ]
    if controller.desired and controller.ready:
        return None
    for each in (case.facts.pods, case.facts.events, *(pod.log for pod in case.pods if not pod.ready)):
        if isinstance(each, Unreadable) and controller.desired:
            return explain_unreadable(each)
    return Finding(
        "controller-not-running",
        f"{controller.ready} of {controller.desired} replicas of Deployment {controller.id_} are ready",
        "a ready replica",
        tuple(dict.fromkeys([*events, *logs]))[:4],
        (
            f"kubectl -n {controller.namespace} describe pods -l app={controller.name}",
            f"kubectl -n {controller.namespace} logs deployment/{controller.name} --all-containers --previous",
        ),
    )
