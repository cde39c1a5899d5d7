"""IAM roles, their managed and inline policies, policies of the account, and OIDC providers."""

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, errors_of
from sandbox.engine.aws.comparison import same_policy, same_set
from sandbox.engine.aws.resource import FIXED, TAGGED, Description, Operation, Property, ResourceType, Update, send_to
from sandbox.engine.aws.services import iam_tags, whole_id
from sandbox.engine.aws.validators import arn, between, json_object, text

# A detached policy still blocks the deletion of its role for a while, so the provider retries this long.
_PROPAGATION_SECONDS = 120.0
_MOST_VERSIONS = 5
_NAME = Property(replaces=True, computed=True, argument="PolicyName")
_ROLE = Property(replaces=True, argument="RoleName")


def _policy(argument: str, update: Update | None = None) -> Property:
    """Describe a policy document."""
    return Property(
        same=same_policy,
        keeps_text=True,
        validate=json_object("JSON policy"),
        argument=argument,
        path=f"to_string({argument})",
        update=update,
    )


def _pages(aws: Account, operation: str, key: str, role: str) -> list[Any]:
    """Return all pages of a list of a role's policies."""
    found: list[Any] = []
    marker = None
    while True:
        answer = call(aws.iam, operation, RoleName=role, Marker=marker)
        found += answer[key]
        marker = answer.get("Marker")
        if not marker:
            return found


def _attached(aws: Account, role: str) -> list[str]:
    """Return the ARNs of the managed policies of a role."""
    return [each["PolicyArn"] for each in _pages(aws, "ListAttachedRolePolicies", "AttachedPolicies", role)]


def _inline(aws: Account, role: str) -> list[str]:
    """Return the names of the inline policies of a role."""
    return _pages(aws, "ListRolePolicies", "PolicyNames", role)


def _role_update(what: str, update: Update) -> Update:
    """Return an update whose errors name what it changes."""

    def named(op: Operation, keys: Sequence[str]) -> None:
        with errors_of(f"updating IAM Role ({op.resource_id}) {what}"):
            update(op, keys)

    return named


def _set_trust(op: Operation, _: Sequence[str]) -> None:
    op.call("UpdateAssumeRolePolicy", PolicyDocument=op.news["assumeRolePolicy"])


def _set_description(op: Operation, _: Sequence[str]) -> None:
    op.call("UpdateRoleDescription", Description=op.news.get("description") or "")


def _delete_role(op: Operation) -> None:
    """Delete a role; retry while a policy is attached."""
    if op.olds.get("forceDetachPolicies"):
        for policy in _attached(op.aws, op.resource_id):
            op.call("DetachRolePolicy", PolicyArn=policy)
        for name in _inline(op.aws, op.resource_id):
            op.call("DeleteRolePolicy", PolicyName=name)
    conflicts: list[AwsError] = []

    def deleted() -> bool:
        try:
            op.call("DeleteRole")
        except AwsError as error:
            if error.code != "DeleteConflict":
                raise
            conflicts.append(error)
            return False
        return True

    if op.waiting.until(deleted, _PROPAGATION_SECONDS) is not None:
        raise conflicts[-1]


_set_boundary = send_to("PutRolePermissionsBoundary", off="DeleteRolePermissionsBoundary")
ROLE = ResourceType(
    "aws:iam/role:Role",
    "IAM Role",
    "iam",
    {
        "assumeRolePolicy": _policy("AssumeRolePolicyDocument", _role_update("assume role policy", _set_trust)),
        "description": Property(
            validate=text(0, 1000), path="Description || ''", update=_role_update("description", _set_description)
        ),
        "forceDetachPolicies": Property(default=False, local=True, argument="", path=""),
        "maxSessionDuration": Property(
            default=3600,
            validate=between(3600, 43200),
            update=_role_update("MaxSessionDuration", send_to("UpdateRole")),
        ),
        "name": Property(replaces=True, computed=True, validate=text(0, 64, r"[\w+=,.@-]*"), argument="RoleName"),
        "path": Property(default="/", replaces=True, validate=text(0, 512)),
        "permissionsBoundary": Property(
            validate=arn,
            path="PermissionsBoundary.PermissionsBoundaryArn || ''",
            update=_role_update("permissions boundary", _set_boundary),
        ),
        **TAGGED,
    },
    id_pattern=whole_id("RoleName"),
    create="CreateRole",
    id_path="inputs.name",
    describe="GetRole",
    description_path="Role",
    delete=_delete_role,
    tagging=iam_tags("Role"),
    outputs=("arn", "createDate"),
    output_paths={"uniqueId": "RoleId"},
    more_outputs=lambda aws, role: {"managedPolicyArns": _attached(aws, role["RoleName"])},
    messages={"creating": "creating IAM Role ({name})", "tagging": "updating IAM Role ({id}) tags"},
    longest_name=64,
)


def _describe_attachment(aws: Account, resource_id: str) -> Description | None:
    named = ATTACHMENT.id_arguments(resource_id)
    return {} if named["PolicyArn"] in _attached(aws, named["RoleName"]) else None


ATTACHMENT = ResourceType(
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "IAM Role Policy Attachment",
    "iam",
    {"policyArn": Property(replaces=True, validate=arn), "role": _ROLE},
    id_pattern="(?P<RoleName>[^/]*)/(?P<PolicyArn>arn:.*)",
    id_error="unexpected format of ID, expected <role-name>/<policy_arn>",
    create="AttachRolePolicy",
    id_path="join('/', [inputs.role, inputs.policyArn])",
    describe=_describe_attachment,
    delete="DetachRolePolicy",
    messages={
        "creating": "attaching IAM Policy ({policyArn}) to IAM Role ({role})",
        "reading": "reading IAM Role ({RoleName}) Policy Attachment ({PolicyArn})",
        "deleting": "detaching IAM Policy ({PolicyArn}) from IAM Role ({RoleName})",
    },
    delete_before_replace=True,
)

INLINE_POLICY = ResourceType(
    "aws:iam/rolePolicy:RolePolicy",
    "IAM Role Policy",
    "iam",
    {"name": _NAME, "policy": _policy("PolicyDocument"), "role": _ROLE},
    id_pattern="(?P<RoleName>[^:]*):(?P<PolicyName>.*)",
    id_error="unexpected format for ID, expected role_name:policy_name",
    create="PutRolePolicy",
    id_path="join(':', [inputs.role, inputs.name])",
    describe="GetRolePolicy",
    update=lambda op: op.create_call("PutRolePolicy"),
    delete="DeleteRolePolicy",
    messages={
        "creating": "putting IAM Role ({role}) Policy ({name})",
        "updating": "putting IAM Role ({role}) Policy ({name})",
    },
    longest_name=128,
)


def _exclusive(  # noqa: PLR0913 - two types, described by words alone
    token: str,
    label: str,
    key: str,
    *,
    listed: Callable[[Account, str], list[str]],
    argument: str,
    remove: str,
    add: str = "",
) -> ResourceType:
    """Describe the exclusive policies of a role: each create and update removes the role's other policies.

    key: input that lists the policies.
    listed: returns the role's policies.
    argument: argument of `remove` and `add` that names a policy. Without `add`, no policy is added.
    """

    def synchronize(op: Operation) -> dict[str, Any]:
        role, wanted = op.news["roleName"], op.news[key]
        found = listed(op.aws, role)
        calls = [(remove, each) for each in sorted(found) if each not in wanted]
        calls += [(add, each) for each in wanted if add and each not in found]
        for operation, policy in calls:
            call(op.client, operation, RoleName=role, **{argument: policy})
        return {}

    action = f"synchronizing {label} ({{roleName}})"
    return ResourceType(
        token,
        label,
        "iam",
        {key: Property(same=lambda one, other: set(one) == set(other), path="members"), "roleName": FIXED},
        id_pattern=whole_id("RoleName"),
        create=synchronize,
        id_path="inputs.roleName",
        describe=lambda aws, role: {"members": sorted(listed(aws, role))},
        update=synchronize,
        delete="",
        messages={"creating": action, "updating": action},
    )


EXCLUSIVE_ATTACHMENTS = _exclusive(
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "IAM Role Policy Attachments Exclusive",
    "policyArns",
    listed=_attached,
    argument="PolicyArn",
    remove="DetachRolePolicy",
    add="AttachRolePolicy",
)
EXCLUSIVE_INLINE_POLICIES = _exclusive(
    "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
    "IAM Role Policies Exclusive",
    "policyNames",
    listed=_inline,
    argument="PolicyName",
    remove="DeleteRolePolicy",
)


def _versions(op: Operation) -> list[dict[str, Any]]:
    """Return the versions of a policy that are not the default, oldest first."""
    others = [each for each in op.call("ListPolicyVersions")["Versions"] if not each["IsDefaultVersion"]]
    return sorted(others, key=lambda version: int(version["VersionId"].removeprefix("v")))


def _new_version(op: Operation, _: Sequence[str]) -> None:
    others = _versions(op)
    if len(others) + 1 >= _MOST_VERSIONS:
        op.call("DeletePolicyVersion", VersionId=others[0]["VersionId"])
    op.call("CreatePolicyVersion", PolicyDocument=op.news["policy"], SetAsDefault=True)


def _delete_policy(op: Operation) -> None:
    for version in _versions(op):
        op.call("DeletePolicyVersion", VersionId=version["VersionId"])
    op.call("DeletePolicy")


def _describe_policy(aws: Account, resource_id: str) -> Description | None:
    """Describe a policy together with the document of its default version."""
    policy = call(aws.iam, "GetPolicy", PolicyArn=resource_id)["Policy"]
    answer = call(aws.iam, "GetPolicyVersion", PolicyArn=resource_id, VersionId=policy["DefaultVersionId"])
    return {**policy, "PolicyDocument": answer["PolicyVersion"]["Document"]}


POLICY = ResourceType(
    "aws:iam/policy:Policy",
    "IAM Policy",
    "iam",
    {
        "description": Property(replaces=True, path="Description || ''"),
        "name": _NAME,
        "path": Property(default="/", replaces=True),
        "policy": _policy("PolicyDocument", _new_version),
        **TAGGED,
    },
    id_pattern=whole_id("PolicyArn"),
    create="CreatePolicy",
    id_path="Policy.Arn",
    describe=_describe_policy,
    delete=_delete_policy,
    tagging=iam_tags("Policy"),
    outputs=("arn", "policyId"),
    output_paths={"attachmentCount": "AttachmentCount || `0`"},
    messages={"creating": "creating IAM Policy ({name})"},
    longest_name=128,
)


def _set_client_ids(op: Operation, keys: Sequence[str]) -> None:
    before, after = (set(each["clientIdLists"]) for each in (op.olds, op.news))
    del keys
    for each in sorted(after - before):
        op.call("AddClientIDToOpenIDConnectProvider", ClientID=each)
    for each in sorted(before - after):
        op.call("RemoveClientIDFromOpenIDConnectProvider", ClientID=each)


def _without_scheme(url: str) -> str:
    """Return a URL as IAM returns it."""
    return url.removeprefix("https://")


def _validate_url(_: str, value: object) -> str | None:
    if str(value).startswith("https://"):
        return None
    return f'expected "url" to have a url with schema of: "https", got {value}'


OIDC_PROVIDER = ResourceType(
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "IAM OIDC Provider",
    "iam",
    {
        "clientIdLists": Property(
            same=same_set, argument="ClientIDList", path="ClientIDList || `[]`", update=_set_client_ids
        ),
        "thumbprintLists": Property(
            computed=True,
            argument="ThumbprintList",
            path="ThumbprintList || `[]`",
            update=send_to("UpdateOpenIDConnectProviderThumbprint"),
        ),
        "url": Property(
            replaces=True,
            same=lambda one, other: _without_scheme(one) == _without_scheme(other),
            validate=_validate_url,
        ),
        **TAGGED,
    },
    id_pattern=whole_id("OpenIDConnectProviderArn"),
    create="CreateOpenIDConnectProvider",
    id_path="OpenIDConnectProviderArn",
    describe="GetOpenIDConnectProvider",
    delete="DeleteOpenIDConnectProvider",
    tagging=iam_tags("OpenIDConnectProvider"),
    output_paths={"arn": "OpenIDConnectProviderArn"},
    more_outputs=lambda _, provider: {"url": _without_scheme(provider["Url"])},
)
