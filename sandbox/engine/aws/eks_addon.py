"""`aws:eks/addon:Addon`, with the provider's wait loops."""

import re
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.pod_identity import describe
from sandbox.engine.aws.policies import invalid_json, same_json
from sandbox.engine.aws.properties import ALL_TAGS, Property, Schema, arn, one_of
from sandbox.engine.aws.resource import NotUsableError, Properties, Resource, Waiting, tag_change

_CREATE_SECONDS = _UPDATE_SECONDS = 20 * 60.0
_DELETE_SECONDS = 40 * 60.0
# The provider takes DEGRADED for "not yet" and waits on.
_PENDING = {"CREATING", "DEGRADED"}
_TOO_LATE = "timeout while waiting for state to become '{wanted}' (last state: '{last}', timeout: {limit})"


def _json_refusal(value: object) -> str | None:
    reason = invalid_json(value)
    return f'"configuration_values" contains an invalid JSON: {reason}' if reason else None


def _same_associations(one: list[dict[str, str]], other: list[dict[str, str]]) -> bool:
    """They are a set, one for each service account."""
    return _by_account(one) == _by_account(other)


def _by_account(associations: list[dict[str, str]]) -> dict[str, str]:
    return {each["serviceAccount"]: each["roleArn"] for each in associations}


class Addon(Resource):
    """Import id: `cluster:addon`."""

    schema = Schema(
        "aws:eks/addon:Addon",
        properties={
            "addonName": Property(replaces=True),
            "addonVersion": Property(computed=True),
            "clusterName": Property(replaces=True),
            "configurationValues": Property(computed=True, same=same_json, keeps_text=True, refusal=_json_refusal),
            "podIdentityAssociations": Property(same=_same_associations),
            "preserve": Property(),
            "region": Property(computed=True, replaces=True),
            "resolveConflictsOnCreate": Property(refusal=one_of("resolve_conflicts_on_create", "NONE", "OVERWRITE")),
            "resolveConflictsOnUpdate": Property(
                refusal=one_of("resolve_conflicts_on_update", "NONE", "OVERWRITE", "PRESERVE")
            ),
            "serviceAccountRoleArn": Property(refusal=arn("service_account_role_arn")),
            "tags": Property(),
        },
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        cluster, name = inputs["clusterName"], inputs["addonName"]
        resource_id = f"{cluster}:{name}"
        try:
            call(
                aws.eks,
                "CreateAddon",
                clusterName=cluster,
                addonName=name,
                addonVersion=inputs.get("addonVersion"),
                configurationValues=inputs.get("configurationValues"),
                podIdentityAssociations=inputs.get("podIdentityAssociations"),
                resolveConflicts=inputs.get("resolveConflictsOnCreate"),
                serviceAccountRoleArn=inputs.get("serviceAccountRoleArn"),
                tags=inputs.get(ALL_TAGS) or None,
            )
        except AwsError as error:
            raise failed(f"creating EKS Add-On ({resource_id})", error) from error
        problem = self._wait_active(aws, resource_id, waiting)
        if problem:
            raise NotUsableError(resource_id, str(failed(f"waiting for EKS Add-On ({resource_id}) create", problem)))
        return resource_id

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        cluster, separator, name = resource_id.partition(":")
        if not separator or not name:
            wanted = "unexpected format for ID, expected cluster-name:addon-name"
            raise failed(f"importing {resource_id!r}", ValueError(wanted))
        try:
            answer = unless_missing(lambda: call(aws.eks, "DescribeAddon", clusterName=cluster, addonName=name))
            associated = self._associations(aws, cluster, answer["addon"]) if answer else []
        except AwsError as error:
            raise failed(f"reading EKS Add-On ({resource_id})", error) from error
        if answer is None:
            return None
        addon = answer["addon"]
        return {
            "addonName": addon["addonName"],
            "addonVersion": addon["addonVersion"],
            "arn": addon["addonArn"],
            "clusterName": addon["clusterName"],
            "configurationValues": addon.get("configurationValues", ""),
            "createdAt": addon["createdAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "modifiedAt": addon["modifiedAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "podIdentityAssociations": associated,
            "region": aws.region,
            "serviceAccountRoleArn": addon.get("serviceAccountRoleArn", ""),
            "tags": addon.get("tags", {}),
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        changed, removed = tag_change(olds, news)
        try:
            if removed:
                call(aws.eks, "UntagResource", resourceArn=olds["arn"], tagKeys=removed)
            if changed:
                call(aws.eks, "TagResource", resourceArn=olds["arn"], tags=changed)
        except AwsError as error:
            raise failed(f"updating tags for EKS Add-On ({resource_id})", error) from error
        if self._differs(olds, news):
            self._update_settings(aws, resource_id, olds, news, waiting)

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        cluster, _, name = resource_id.partition(":")
        try:
            gone = unless_missing(
                lambda: call(aws.eks, "DeleteAddon", clusterName=cluster, addonName=name, preserve=olds.get("preserve"))
            )
            if gone is None:
                return
            late = waiting.until(lambda: self.read(aws, resource_id) is None, _DELETE_SECONDS)
        except AwsError as error:
            raise failed(f"deleting EKS Add-On ({resource_id})", error) from error
        if late is not None:
            text = _TOO_LATE.format(wanted="", last="DELETING", limit=_duration(late))
            raise failed(f"waiting for EKS Add-On ({resource_id}) delete", TimeoutError(text))

    def _differs(self, olds: Properties, news: Properties) -> bool:
        version, values = news.get("addonVersion"), news.get("configurationValues")
        return bool(
            (version and version != olds.get("addonVersion"))
            or (values and not same_json(values, olds.get("configurationValues")))
            or self._reassociated(olds, news)
            or (news.get("serviceAccountRoleArn") or "") != (olds.get("serviceAccountRoleArn") or "")
        )

    def _reassociated(self, olds: Properties, news: Properties) -> bool:
        before, after = (each.get("podIdentityAssociations") or [] for each in (olds, news))
        return not _same_associations(before, after)

    def _associations(self, aws: Account, cluster: str, addon: dict[str, Any]) -> list[dict[str, str]]:
        """EKS names the addon's associations by their ARNs alone."""
        found = [describe(aws, cluster, each.rsplit("/", 1)[-1]) for each in addon.get("podIdentityAssociations", [])]
        return [{"roleArn": each["roleArn"], "serviceAccount": each["serviceAccount"]} for each in found if each]

    def _update_settings(
        self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting
    ) -> None:
        cluster, _, name = resource_id.partition(":")
        try:
            update = call(
                aws.eks,
                "UpdateAddon",
                clusterName=cluster,
                addonName=name,
                addonVersion=news.get("addonVersion"),
                configurationValues=news.get("configurationValues"),
                podIdentityAssociations=(
                    news.get("podIdentityAssociations") or [] if self._reassociated(olds, news) else None
                ),
                resolveConflicts=news.get("resolveConflictsOnUpdate"),
                serviceAccountRoleArn=news.get("serviceAccountRoleArn")
                or ("" if olds.get("serviceAccountRoleArn") else None),
            )["update"]
            last = {"status": update["status"], "errors": update.get("errors", [])}

            def ended() -> bool:
                answer = call(aws.eks, "DescribeUpdate", name=cluster, addonName=name, updateId=update["id"])["update"]
                last.update(status=answer["status"], errors=answer.get("errors", []))
                return answer["status"] != "InProgress"

            late = waiting.until(ended, _UPDATE_SECONDS)
        except AwsError as error:
            raise failed(f"updating EKS Add-On ({resource_id})", error) from error
        problem = _outcome(
            last["status"], "Successful", late, [_issue(each, "errorCode", "errorMessage") for each in last["errors"]]
        )
        if problem:
            raise failed(f"waiting for EKS Add-On ({resource_id}) update", problem)

    def _wait_active(self, aws: Account, resource_id: str, waiting: Waiting) -> Exception | None:
        cluster, _, name = resource_id.partition(":")
        last: dict[str, Any] = {}

        def settled() -> bool:
            last.update(call(aws.eks, "DescribeAddon", clusterName=cluster, addonName=name)["addon"])
            return last["status"] not in _PENDING

        try:
            late = waiting.until(settled, _CREATE_SECONDS)
        except AwsError as error:
            return error
        issues = [_issue(each, "code", "message") for each in last.get("health", {}).get("issues", [])]
        return _outcome(last["status"], "ACTIVE", late, issues)


def _outcome(status: str, wanted: str, late: float | None, issues: list[str]) -> Exception | None:
    """What the provider says of an addon that did not reach the wanted state; None when it did."""
    reasons = f". last error: {'; '.join(issues)}" if issues else ""
    if late is not None:
        text = _TOO_LATE.format(wanted=wanted, last=status, limit=_duration(late))
        return TimeoutError(text)
    if status == wanted:
        return None
    return RuntimeError(f"unexpected state '{status}', wanted target '{wanted}'{reasons}")


def _issue(issue: dict[str, Any], code: str, message: str) -> str:
    resources = ", ".join(issue.get("resourceIds", []))
    return f"{resources}: {issue.get(code, '')}: {issue.get(message, '')}"


def _duration(seconds: float) -> str:
    """As Go writes it: `20m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m{rest}s"
    return re.sub(r"^0h(0m)?", "", text)
