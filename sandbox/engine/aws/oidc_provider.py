"""`aws:iam/openIdConnectProvider:OpenIdConnectProvider`."""

# ruff: noqa: ARG002 - every resource type has the same operations

from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import ALL_TAGS, Property, Schema, same_set
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_change, tag_list, tag_map


def _same_url(one: str, other: str) -> bool:
    """IAM gives the URL back without its scheme."""
    return one.removeprefix("https://") == other.removeprefix("https://")


def _url_refusal(value: object) -> str | None:
    if str(value).startswith("https://"):
        return None
    return f'expected "url" to have a url with schema of: "https", got {value}'


class OpenIdConnectProvider(Resource):
    """Import id: the ARN."""

    schema = Schema(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        properties={
            "clientIdLists": Property(same=same_set),
            "tags": Property(),
            "thumbprintLists": Property(computed=True),
            "url": Property(replaces=True, same=_same_url, refusal=_url_refusal),
        },
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        try:
            answer = call(
                aws.iam,
                "CreateOpenIDConnectProvider",
                Url=inputs["url"],
                ClientIDList=inputs["clientIdLists"],
                ThumbprintList=inputs.get("thumbprintLists"),
                Tags=tag_list(inputs.get(ALL_TAGS)),
            )
        except AwsError as error:
            raise failed("creating IAM OIDC Provider", error) from error
        return answer["OpenIDConnectProviderArn"]

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        try:
            found = unless_missing(
                lambda: call(aws.iam, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=resource_id)
            )
        except AwsError as error:
            raise failed(f"reading IAM OIDC Provider ({resource_id})", error) from error
        return found and {
            "arn": resource_id,
            "clientIdLists": found.get("ClientIDList", []),
            "tags": tag_map(found.get("Tags")),
            "thumbprintLists": found.get("ThumbprintList", []),
            "url": found["Url"].removeprefix("https://"),
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        before, after = set(olds["clientIdLists"]), set(news["clientIdLists"])
        steps: list[tuple[str, dict[str, Any]]] = [
            *(("AddClientIDToOpenIDConnectProvider", {"ClientID": each}) for each in sorted(after - before)),
            *(("RemoveClientIDFromOpenIDConnectProvider", {"ClientID": each}) for each in sorted(before - after)),
        ]
        thumbprints = news.get("thumbprintLists")
        if thumbprints and thumbprints != olds.get("thumbprintLists"):
            steps.append(("UpdateOpenIDConnectProviderThumbprint", {"ThumbprintList": thumbprints}))
        changed, removed = tag_change(olds, news)
        if removed:
            steps.append(("UntagOpenIDConnectProvider", {"TagKeys": removed}))
        if changed:
            steps.append(("TagOpenIDConnectProvider", {"Tags": tag_list(changed)}))
        for verb, arguments in steps:
            try:
                call(aws.iam, verb, OpenIDConnectProviderArn=resource_id, **arguments)
            except AwsError as error:
                raise failed(f"updating IAM OIDC Provider ({resource_id})", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        try:
            unless_missing(lambda: call(aws.iam, "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=resource_id))
        except AwsError as error:
            raise failed(f"deleting IAM OIDC Provider ({resource_id})", error) from error
