"""Stack of the aws stand-in without an engine: creates, reads, updates and deletes resources over the AWS APIs."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox import layout
from sandbox.aws import env_file
from sandbox.engine.aws.account import Account, Settings
from sandbox.engine.aws.stand_in import AwsStandIn
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.servicer import Difference, State, Target
from tests.contract.server import Server

# AWS keeps these as long as the VPC or bucket exists to which they belong.
_STAY = ("DefaultSecurityGroup", "BucketVersioning", "BucketServerSideEncryptionConfiguration")


@dataclass
class Stack:
    """Created resources and their states, in the order of their creation."""

    stand_in: AwsStandIn
    made: dict[str, tuple[Target, State]] = field(default_factory=dict)

    def make(self, token: str, resource: str, /, **inputs: Any) -> dict[str, Any]:
        """Create a resource, assert that its diff is empty afterwards, and return the outputs."""
        target = Target.of(f"urn:pulumi:prod::p::{token}::{resource}")
        checked = self.stand_in.check(target, {}, inputs, resource.encode())
        assert not checked.failures
        state = self.stand_in.create(target, dict(checked.inputs), 0, preview=False)
        self.made[resource] = target, State(state.resource_id, state.outputs, checked.inputs)
        read = self.read(resource)
        assert read.outputs.keys() == state.outputs.keys()
        assert self.difference(resource, **inputs).changes == {}, resource
        return dict(state.outputs)

    def read(self, name: str) -> State:
        target, state = self.made[name]
        return self.stand_in.read(target, state)

    def difference(self, resource: str, /, **inputs: Any) -> Difference:
        target, state = self.made[resource]
        checked = self.stand_in.check(target, dict(state.inputs), inputs, resource.encode())
        return self.stand_in.diff(target, state.resource_id, self.read(resource), dict(checked.inputs), [])

    def change(self, resource: str, /, **inputs: Any) -> dict[str, Any]:
        """Update a resource, assert that its diff is empty afterwards, and return the outputs."""
        target, state = self.made[resource]
        assert self.difference(resource, **inputs).changes
        checked = self.stand_in.check(target, dict(state.inputs), inputs, resource.encode())
        new = self.stand_in.update(target, self.read(resource), dict(checked.inputs), 0, preview=False)
        self.made[resource] = target, State(state.resource_id, new.outputs, checked.inputs)
        assert self.difference(resource, **inputs).changes == {}, resource
        return dict(new.outputs)

    def destroy(self, *names: str) -> None:
        """Delete the named resources, or all in reverse order. Assert that each is gone and can be deleted twice."""
        for name in names or reversed(list(self.made)):
            target, state = self.made[name]
            self.stand_in.delete(target, state, 0)
            assert self.read(name).resource_id == "" or target.type.endswith(_STAY), name
            self.stand_in.delete(target, state, 0)
        for name in names or list(self.made):
            del self.made[name]


@contextmanager
def opened(aws: Server) -> Generator[Stack]:
    """Yield an empty stack. Afterwards delete its resources and assert that the account is as before."""
    keys = env_file.read(aws.root / "aws.env")
    services = ("ec2", "eks", "iam", "kms", "logs", "s3", "sts")
    settings = Settings(
        layout.REGION,
        access_key=keys["AWS_ACCESS_KEY_ID"],
        secret_key=keys["AWS_SECRET_ACCESS_KEY"],
        endpoints=dict.fromkeys(services, aws.endpoint),
    )
    stand_in = AwsStandIn(EngineLog(""), threading.Event())
    stand_in._account = Account(settings)
    stack = Stack(stand_in)
    before = inventory(aws)
    yield stack
    stack.destroy()
    assert inventory(aws) == before


def inventory(aws: Server) -> dict[str, list[str]]:
    """Return the resources of the account that a stack may leave behind, by kind."""
    ec2, iam, kms = aws.client("ec2"), aws.client("iam"), aws.client("kms")
    lists = {
        "addresses": ec2.describe_addresses()["Addresses"],
        "buckets": aws.client("s3").list_buckets()["Buckets"],
        "clusters": aws.client("eks").list_clusters()["clusters"],
        "endpoints": ec2.describe_vpc_endpoints()["VpcEndpoints"],
        "flow logs": ec2.describe_flow_logs()["FlowLogs"],
        "gateways": ec2.describe_internet_gateways()["InternetGateways"],
        "groups": ec2.describe_security_groups()["SecurityGroups"],
        "log groups": aws.client("logs").describe_log_groups()["logGroups"],
        "nats": [each for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] != "deleted"],
        "policies": iam.list_policies(Scope="Local")["Policies"],
        "roles": iam.list_roles()["Roles"],
        "subnets": ec2.describe_subnets()["Subnets"],
        "tables": ec2.describe_route_tables()["RouteTables"],
        "templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "aliases": [each["AliasName"] for each in kms.list_aliases()["Aliases"]],
        "keys": [
            key["KeyId"]
            for key in kms.list_keys()["Keys"]
            if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
        ],
    }
    return {
        kind: sorted(json.dumps(each, default=str, sort_keys=True) for each in found) for kind, found in lists.items()
    }
