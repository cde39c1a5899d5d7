"""Security groups with their rules, and the default group of a VPC."""

from dataclasses import replace
from typing import Any

from sandbox.engine.aws import operations
from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call, errors_of, failed, unless_missing
from sandbox.engine.aws.resource import CHOSEN, LOCAL, REGION_AND_TAGS, Operation, Properties, Property, ResourceType
from sandbox.engine.aws.services import ec2_type, whole_id
from sandbox.engine.aws.tags import ALL_TAGS, tag_map

_SIDES = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
Rule = dict[str, Any]


def same_rules(one: list[Rule], other: list[Rule]) -> bool:
    """Return whether two lists of rules allow the same traffic."""
    return _meaning(one) == _meaning(other)


def _meaning(rules: list[Rule]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            "-1" if rule["protocol"] == "all" else str(rule["protocol"]),
            0 if rule["protocol"] in {"-1", "all"} else rule.get("fromPort") or 0,
            0 if rule["protocol"] in {"-1", "all"} else rule.get("toPort") or 0,
            tuple(sorted(rule.get("cidrBlocks") or ())),
            tuple(sorted(rule.get("securityGroups") or ())),
        )
        for rule in rules
    )


def _outputs(_: Account, group: dict[str, Any]) -> dict[str, Any]:
    rules = {side: [_rule(each) for each in group[key]] for side, key in _SIDES.items()}
    return {"namePrefix": "", **rules}


def _create(op: Operation) -> dict[str, Any]:
    answer = op.create_call("CreateSecurityGroup")
    _set_rules(op.aws, answer["GroupId"], op.news)
    return answer


def _take_over(op: Operation) -> dict[str, Any]:
    """Give the VPC's default group the rules and tags of the inputs."""
    vpc = op.news.get("vpcId")
    wanted = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
    with errors_of(f"reading Default Security Group ({vpc})"):
        group = _describe(op.aws, Filters=wanted)
    if group is None:
        raise failed("creating Default Security Group", LookupError(f"no default group in {vpc}"))
    # Unlike those of other groups, rules without an input are removed.
    news = {"egress": [], "ingress": [], **op.news}
    olds = {ALL_TAGS: tag_map(group.get("Tags"))}
    operations.update(replace(op, resource_id=group["GroupId"], olds=olds, news=news))
    return group


def _describe(aws: Account, **which: object) -> dict[str, Any] | None:
    answer = unless_missing(lambda: call(aws.client("ec2"), "DescribeSecurityGroups", **which))
    return answer["SecurityGroups"][0] if answer and answer["SecurityGroups"] else None


def _set_rules(aws: Account, group_id: str, inputs: Properties) -> None:
    """Give a group the rules of the inputs and no others.

    A side without an input keeps its rules, except for the egress rule that AWS creates.
    """
    group = _describe(aws, GroupIds=[group_id]) or {}
    for side, key in _SIDES.items():
        now = [_rule(each) for each in group.get(key, [])]
        wanted = inputs.get(side, [] if side == "egress" else now)
        if same_rules(now, wanted):
            continue
        for verb, rules in (("Revoke", now), ("Authorize", wanted)):
            if rules:
                permissions = [_permission(each) for each in rules]
                operation = f"{verb}SecurityGroup{side.capitalize()}"
                call(aws.client("ec2"), operation, GroupId=group_id, IpPermissions=permissions)


def _permission(rule: Rule) -> dict[str, Any]:
    every = rule["protocol"] in {"-1", "all"}
    described = {"Description": rule["description"]} if rule.get("description") else {}
    permission: dict[str, Any] = {"IpProtocol": "-1" if every else rule["protocol"]}
    if not every:
        permission |= {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    if rule.get("cidrBlocks"):
        permission["IpRanges"] = [{"CidrIp": block, **described} for block in rule["cidrBlocks"]]
    if rule.get("securityGroups"):
        permission["UserIdGroupPairs"] = [{"GroupId": group, **described} for group in rule["securityGroups"]]
    return permission


def _rule(permission: dict[str, Any]) -> Rule:
    ranges, pairs = permission.get("IpRanges") or [], permission.get("UserIdGroupPairs") or []
    descriptions = [each.get("Description", "") for each in [*ranges, *pairs]]
    return {
        "cidrBlocks": [each["CidrIp"] for each in ranges],
        "description": next(filter(None, descriptions), ""),
        "fromPort": permission.get("FromPort", 0),
        "protocol": permission["IpProtocol"],
        "securityGroups": [each["GroupId"] for each in pairs],
        "self": False,
        "toPort": permission.get("ToPort", 0),
    }


def _group_type(
    token: str,
    properties: dict[str, Property],
    **rest: Any,  # noqa: ANN401 - fields of ResourceType
) -> ResourceType:
    """Describe a type of security group."""
    shared = {"revokeRulesOnDelete": replace(LOCAL, default=False), "vpcId": CHOSEN, **REGION_AND_TAGS}
    calls: dict[str, Any] = {
        "id_pattern": whole_id("GroupId"),
        "id_path": "GroupId",
        "list_argument": "GroupIds",
        "outputs": ("description", "ownerId"),
        "output_paths": {"name": "GroupName"},
        "more_outputs": _outputs,
        "update": lambda op: _set_rules(op.aws, op.resource_id, op.news),
    }
    return ec2_type(token, "Security Group", "SecurityGroup", "security-group", properties | shared, **(calls | rest))


SECURITY_GROUP = _group_type(
    "aws:ec2/securityGroup:SecurityGroup",
    {
        "description": Property(default="Managed by Pulumi", replaces=True),
        "egress": Property(computed=True, same=same_rules, argument="", path=""),
        "ingress": Property(computed=True, same=same_rules, argument="", path=""),
        "name": Property(replaces=True, computed=True, argument="GroupName"),
    },
    create=_create,
    messages={"creating": "creating Security Group ({name})"},
    longest_name=255,
)

# AWS creates the group with the VPC, and deletes it with the VPC alone.
DEFAULT_SECURITY_GROUP = _group_type(
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    dict.fromkeys(("egress", "ingress"), Property(same=same_rules, argument="", path="")),
    create=_take_over,
    delete="",
)
