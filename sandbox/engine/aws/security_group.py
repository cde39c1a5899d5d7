"""Security groups with their rules inside: `aws:ec2/securityGroup:SecurityGroup` and the default group of a VPC."""

# ruff: noqa: ARG002 - every resource type has the same operations

from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import ALL_TAGS, Property, Schema
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_change, tag_list, tag_map

_SIDES = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
_VERBS = {"ingress": "SecurityGroupIngress", "egress": "SecurityGroupEgress"}
Rule = dict[str, Any]


def same_rules(one: list[Rule], other: list[Rule]) -> bool:
    """Whether two lists of rules let the same through."""
    return _meaning(one) == _meaning(other)


class SecurityGroup(Resource):
    """Import id: the group's id. The provider takes AWS's own egress rule away and leaves what the program says."""

    schema = Schema(
        "aws:ec2/securityGroup:SecurityGroup",
        {
            "description": Property(default="Managed by Pulumi", replaces=True),
            "egress": Property(computed=True, same=same_rules),
            "ingress": Property(computed=True, same=same_rules),
            "name": Property(replaces=True, computed=True),
            "region": Property(computed=True, replaces=True),
            "revokeRulesOnDelete": Property(default=False),
            "tags": Property(),
            "vpcId": Property(computed=True, replaces=True),
        },
        longest_name=255,
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        name = inputs["name"]
        tags = inputs.get(ALL_TAGS)
        try:
            made = call(
                aws.client("ec2"),
                "CreateSecurityGroup",
                GroupName=name,
                Description=inputs["description"],
                VpcId=inputs.get("vpcId"),
                TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(tags)}] if tags else None,
            )["GroupId"]
            _set_rules(aws, made, inputs)
        except AwsError as error:
            raise failed(f"creating Security Group ({name})", error) from error
        return made

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        try:
            group = _describe(aws, GroupIds=[resource_id])
        except AwsError as error:
            raise failed(f"reading Security Group ({resource_id})", error) from error
        return group and {
            "arn": f"arn:{aws.partition}:ec2:{aws.region}:{aws.id}:security-group/{resource_id}",
            "description": group["Description"],
            "egress": [_rule(each) for each in group["IpPermissionsEgress"]],
            "ingress": [_rule(each) for each in group["IpPermissions"]],
            "name": group["GroupName"],
            "namePrefix": "",
            "ownerId": group["OwnerId"],
            "region": aws.region,
            "tags": tag_map(group.get("Tags")),
            "vpcId": group["VpcId"],
        }

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        changed, removed = tag_change(olds, news)
        ec2 = aws.client("ec2")
        try:
            _set_rules(aws, resource_id, news)
            if removed:
                call(ec2, "DeleteTags", Resources=[resource_id], Tags=[{"Key": key} for key in removed])
            if changed:
                call(ec2, "CreateTags", Resources=[resource_id], Tags=tag_list(changed))
        except AwsError as error:
            raise failed(f"updating Security Group ({resource_id})", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        try:
            unless_missing(lambda: call(aws.client("ec2"), "DeleteSecurityGroup", GroupId=resource_id))
        except AwsError as error:
            raise failed(f"deleting Security Group ({resource_id})", error) from error


class DefaultSecurityGroup(SecurityGroup):
    """Takes over the group that every VPC has, and lets it go as it is: AWS never deletes it."""

    schema = Schema(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        {
            "egress": Property(same=same_rules),
            "ingress": Property(same=same_rules),
            "region": Property(computed=True, replaces=True),
            "revokeRulesOnDelete": Property(default=False),
            "tags": Property(),
            "vpcId": Property(computed=True, replaces=True),
        },
    )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        vpc = inputs.get("vpcId")
        wanted = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
        try:
            group = _describe(aws, Filters=wanted)
        except AwsError as error:
            raise failed(f"reading Default Security Group ({vpc})", error) from error
        if group is None:
            raise failed("creating Default Security Group", LookupError(f"no default group in {vpc}"))
        # Unlike an ordinary group, what the program leaves out is taken away.
        without = {"egress": [], "ingress": [], **inputs}
        self.update(aws, group["GroupId"], {ALL_TAGS: tag_map(group.get("Tags"))}, without, waiting)
        return group["GroupId"]

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        """Nothing: the group goes with its VPC."""


def _describe(aws: Account, **which: object) -> dict[str, Any] | None:
    answer = unless_missing(lambda: call(aws.client("ec2"), "DescribeSecurityGroups", **which))
    return answer["SecurityGroups"][0] if answer and answer["SecurityGroups"] else None


def _set_rules(aws: Account, group_id: str, inputs: Properties) -> None:
    """Give the group the rules of the inputs and no others; a side that they do not name keeps its own, but for the
    egress rule of AWS."""
    ec2 = aws.client("ec2")
    group = _describe(aws, GroupIds=[group_id])
    for side, key in _SIDES.items():
        now = [_rule(each) for each in (group or {}).get(key, [])]
        wanted = inputs.get(side, [] if side == "egress" else now)
        if same_rules(now, wanted):
            continue
        if now:
            call(ec2, f"Revoke{_VERBS[side]}", GroupId=group_id, IpPermissions=[_permission(each) for each in now])
        if wanted:
            call(
                ec2, f"Authorize{_VERBS[side]}", GroupId=group_id, IpPermissions=[_permission(each) for each in wanted]
            )


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
