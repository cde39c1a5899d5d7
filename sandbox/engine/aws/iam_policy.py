"""`aws:iam/policy:Policy`: a policy of the account, whose every change is a new version of it."""

# ruff: noqa: ARG002 - every resource type has the same operations

from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.iam_role import document_text, policy_property
from sandbox.engine.aws.policies import same_policy
from sandbox.engine.aws.properties import ALL_TAGS, Property, Schema
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_change, tag_list, tag_map

_MOST_VERSIONS = 5


class Policy(Resource):
    """Import id: the ARN."""

    schema = Schema(
        "aws:iam/policy:Policy",
        properties={
            "description": Property(replaces=True),
            "name": Property(replaces=True, computed=True),
            "path": Property(default="/", replaces=True),
            "policy": policy_property("policy"),
            "tags": Property(),
        },
        longest_name=128,
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        name = inputs["name"]
        try:
            answer = call(
                aws.iam,
                "CreatePolicy",
                PolicyName=name,
                Path=inputs["path"],
                PolicyDocument=inputs["policy"],
                Description=inputs.get("description"),
                Tags=tag_list(inputs.get(ALL_TAGS)),
            )
        except AwsError as error:
            raise failed(f"creating IAM Policy ({name})", error) from error
        return answer["Policy"]["Arn"]

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        try:
            answer = unless_missing(lambda: call(aws.iam, "GetPolicy", PolicyArn=resource_id))
            if answer is None:
                return None
            policy = answer["Policy"]
            version = call(aws.iam, "GetPolicyVersion", PolicyArn=resource_id, VersionId=policy["DefaultVersionId"])[
                "PolicyVersion"
            ]
        except AwsError as error:
            raise failed(f"reading IAM Policy ({resource_id})", error) from error
        return {
            "arn": policy["Arn"],
            "attachmentCount": policy.get("AttachmentCount", 0),
            "description": policy.get("Description", ""),
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policy": document_text(version["Document"]),
            "policyId": policy["PolicyId"],
            "tags": tag_map(policy.get("Tags")),
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        changed, removed = tag_change(olds, news)
        try:
            if not same_policy(olds["policy"], news["policy"]):
                self._make_room(aws, resource_id)
                call(
                    aws.iam,
                    "CreatePolicyVersion",
                    PolicyArn=resource_id,
                    PolicyDocument=news["policy"],
                    SetAsDefault=True,
                )
            if removed:
                call(aws.iam, "UntagPolicy", PolicyArn=resource_id, TagKeys=removed)
            if changed:
                call(aws.iam, "TagPolicy", PolicyArn=resource_id, Tags=tag_list(changed))
        except AwsError as error:
            raise failed(f"updating IAM Policy ({resource_id})", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        try:
            for version in self._versions(aws, resource_id):
                if not version["IsDefaultVersion"]:
                    call(aws.iam, "DeletePolicyVersion", PolicyArn=resource_id, VersionId=version["VersionId"])
            unless_missing(lambda: call(aws.iam, "DeletePolicy", PolicyArn=resource_id))
        except AwsError as error:
            raise failed(f"deleting IAM Policy ({resource_id})", error) from error

    def _make_room(self, aws: Account, arn: str) -> None:
        """IAM keeps five versions; the oldest that is not in force has to go."""
        versions = self._versions(aws, arn)
        if len(versions) < _MOST_VERSIONS:
            return
        oldest = min(
            (each for each in versions if not each["IsDefaultVersion"]),
            key=lambda version: int(version["VersionId"].removeprefix("v")),
        )
        call(aws.iam, "DeletePolicyVersion", PolicyArn=arn, VersionId=oldest["VersionId"])

    def _versions(self, aws: Account, arn: str) -> list[dict[str, Any]]:
        found = unless_missing(lambda: call(aws.iam, "ListPolicyVersions", PolicyArn=arn))
        return found["Versions"] if found else []
