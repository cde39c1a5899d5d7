"""`aws:iam/role:Role` and the managed and inline policies on a role."""

# ruff: noqa: ARG002 - every resource type has the same operations

import json
from typing import Any

from sandbox.engine.aws import refusals
from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.policies import invalid_json, same_policy
from sandbox.engine.aws.properties import ALL_TAGS, Property, Schema, arn, between
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_change, tag_list, tag_map

# IAM is slow to see that a policy was detached, so the provider asks again for this long.
_PROPAGATION_SECONDS = 120.0


def _policy_refusal(key: str, value: object) -> str | None:
    reason = invalid_json(value)
    return f'"{key}" contains an invalid JSON policy: {reason}' if reason else None


def policy_property(key: str, *, replaces: bool = False) -> Property:
    """A policy document, compared by meaning. `key` is its name in messages."""
    return Property(
        same=same_policy,
        keeps_text=True,
        refusal=lambda value: _policy_refusal(key, value),
        replaces=replaces,
    )


class Role(Resource):
    """Import id: the role's name."""

    schema = Schema(
        "aws:iam/role:Role",
        properties={
            "assumeRolePolicy": policy_property("assume_role_policy"),
            "description": Property(refusal=refusals.text("description", 0, 1000)),
            "forceDetachPolicies": Property(default=False),
            "maxSessionDuration": Property(default=3600, refusal=between("max_session_duration", 3600, 43200)),
            "name": Property(replaces=True, computed=True, refusal=refusals.text("name", 0, 64, r"[\w+=,.@-]*")),
            "path": Property(default="/", replaces=True, refusal=refusals.text("path", 0, 512)),
            "permissionsBoundary": Property(refusal=arn("permissions_boundary")),
            "tags": Property(),
        },
        longest_name=64,
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        name = inputs["name"]
        try:
            call(
                aws.iam,
                "CreateRole",
                RoleName=name,
                AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
                Path=inputs["path"],
                Description=inputs.get("description"),
                MaxSessionDuration=inputs["maxSessionDuration"],
                PermissionsBoundary=inputs.get("permissionsBoundary"),
                Tags=tag_list(inputs.get(ALL_TAGS)),
            )
        except AwsError as error:
            raise failed(f"creating IAM Role ({name})", error) from error
        return name

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        try:
            answer = unless_missing(lambda: call(aws.iam, "GetRole", RoleName=resource_id))
            if answer is None:
                return None
            attached = _attached(aws, resource_id)
        except AwsError as error:
            raise failed(f"reading IAM Role ({resource_id})", error) from error
        role = answer["Role"]
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": document_text(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description", ""),
            "managedPolicyArns": attached,
            "maxSessionDuration": role["MaxSessionDuration"],
            "name": role["RoleName"],
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "tags": tag_map(role.get("Tags")),
            "uniqueId": role["RoleId"],
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        boundary = news.get("permissionsBoundary")
        steps: list[tuple[str, str, dict[str, Any]]] = []
        if not same_policy(olds["assumeRolePolicy"], news["assumeRolePolicy"]):
            steps.append(("assume role policy", "UpdateAssumeRolePolicy", {"PolicyDocument": news["assumeRolePolicy"]}))
        if (olds.get("description") or "") != (news.get("description") or ""):
            steps.append(("description", "UpdateRoleDescription", {"Description": news.get("description") or ""}))
        if olds["maxSessionDuration"] != news["maxSessionDuration"]:
            steps.append(("MaxSessionDuration", "UpdateRole", {"MaxSessionDuration": news["maxSessionDuration"]}))
        if (olds.get("permissionsBoundary") or "") != (boundary or ""):
            verb = "PutRolePermissionsBoundary" if boundary else "DeleteRolePermissionsBoundary"
            steps.append(("permissions boundary", verb, {"PermissionsBoundary": boundary}))
        changed, removed = tag_change(olds, news)
        if removed:
            steps.append(("tags", "UntagRole", {"TagKeys": removed}))
        if changed:
            steps.append(("tags", "TagRole", {"Tags": tag_list(changed)}))
        for what, verb, arguments in steps:
            try:
                call(aws.iam, verb, RoleName=resource_id, **arguments)
            except AwsError as error:
                raise failed(f"updating IAM Role ({resource_id}) {what}", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        try:
            if olds.get("forceDetachPolicies"):
                _strip(aws, resource_id)
            refused = self._delete_when_free(aws, resource_id, waiting)
        except AwsError as error:
            raise failed(f"deleting IAM Role ({resource_id})", error) from error
        if refused is not None:
            raise failed(f"deleting IAM Role ({resource_id})", refused)

    def _delete_when_free(self, aws: Account, name: str, waiting: Waiting) -> AwsError | None:
        """Delete, again while something is attached; returns AWS's refusal if that does not end."""
        refusals: list[AwsError] = []

        def deleted() -> bool:
            try:
                unless_missing(lambda: call(aws.iam, "DeleteRole", RoleName=name))
            except AwsError as error:
                if error.code != "DeleteConflict":
                    raise
                refusals.append(error)
                return False
            return True

        return refusals[-1] if waiting.until(deleted, _PROPAGATION_SECONDS) is not None else None


class RolePolicyAttachment(Resource):
    """Import id: `role/policy-arn`."""

    schema = Schema(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        properties={
            "policyArn": Property(replaces=True, refusal=arn("policy_arn")),
            "role": Property(replaces=True),
        },
        delete_before_replace=True,
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        role, policy = inputs["role"], inputs["policyArn"]
        try:
            call(aws.iam, "AttachRolePolicy", RoleName=role, PolicyArn=policy)
        except AwsError as error:
            raise failed(f"attaching IAM Policy ({policy}) to IAM Role ({role})", error) from error
        return f"{role}/{policy}"

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        role, _, policy = resource_id.partition("/")
        if not policy.startswith("arn:"):
            raise failed(
                f"importing {resource_id!r}", ValueError("unexpected format of ID, expected <role-name>/<policy_arn>")
            )
        try:
            attached = unless_missing(lambda: _attached(aws, role))
        except AwsError as error:
            raise failed(f"reading IAM Role ({role}) Policy Attachment ({policy})", error) from error
        return {"role": role, "policyArn": policy} if policy in (attached or ()) else None

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        """Nothing to do: every change replaces it."""

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        role, policy = olds["role"], olds["policyArn"]
        try:
            unless_missing(lambda: call(aws.iam, "DetachRolePolicy", RoleName=role, PolicyArn=policy))
        except AwsError as error:
            raise failed(f"detaching IAM Policy ({policy}) from IAM Role ({role})", error) from error


class RolePolicy(Resource):
    """An inline policy. Import id: `role:policy-name`."""

    schema = Schema(
        "aws:iam/rolePolicy:RolePolicy",
        properties={
            "name": Property(replaces=True, computed=True),
            "policy": policy_property("policy"),
            "role": Property(replaces=True),
        },
        longest_name=128,
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        self._put(aws, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        role, _, name = resource_id.partition(":")
        try:
            answer = unless_missing(lambda: call(aws.iam, "GetRolePolicy", RoleName=role, PolicyName=name))
        except AwsError as error:
            raise failed(f"reading IAM Role Policy ({resource_id})", error) from error
        return answer and {"role": role, "name": name, "policy": document_text(answer["PolicyDocument"])}

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        self._put(aws, news)

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        role, _, name = resource_id.partition(":")
        try:
            unless_missing(lambda: call(aws.iam, "DeleteRolePolicy", RoleName=role, PolicyName=name))
        except AwsError as error:
            raise failed(f"deleting IAM Role Policy ({resource_id})", error) from error

    def _put(self, aws: Account, inputs: Properties) -> None:
        role, name, policy = inputs["role"], inputs["name"], inputs["policy"]
        try:
            call(aws.iam, "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=policy)
        except AwsError as error:
            raise failed(f"putting IAM Role ({role}) Policy ({name})", error) from error


def _attached(aws: Account, role: str) -> list[str]:
    """ARNs of the managed policies on the role."""
    found: list[str] = []
    marker = None
    while True:
        answer = call(aws.iam, "ListAttachedRolePolicies", RoleName=role, Marker=marker)
        found += [each["PolicyArn"] for each in answer["AttachedPolicies"]]
        marker = answer.get("Marker")
        if not marker:
            return found


def _strip(aws: Account, role: str) -> None:
    """Take every policy from the role."""
    for policy in unless_missing(lambda: _attached(aws, role)) or []:
        call(aws.iam, "DetachRolePolicy", RoleName=role, PolicyArn=policy)
    inline = unless_missing(lambda: call(aws.iam, "ListRolePolicies", RoleName=role)) or {"PolicyNames": []}
    for name in inline["PolicyNames"]:
        call(aws.iam, "DeleteRolePolicy", RoleName=role, PolicyName=name)


def document_text(document: Any) -> str:  # noqa: ANN401 - boto3 has parsed it
    """A document as the provider keeps it."""
    return json.dumps(document, separators=(",", ":"))
