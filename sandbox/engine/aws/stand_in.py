"""The provider itself: which resource types it serves, and the engine's requests on them."""

# ruff: noqa: ARG002 - the engine sends more than this provider needs

import difflib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from sandbox.engine.aws import (
    ec2_network,
    ec2_routes,
    eks_cluster,
    eks_node_group,
    iam_exclusive,
    logs_and_keys,
    properties,
    s3_bucket,
)
from sandbox.engine.aws.account import Account, Settings
from sandbox.engine.aws.eks_addon import Addon
from sandbox.engine.aws.functions import FUNCTIONS, result
from sandbox.engine.aws.iam_policy import Policy
from sandbox.engine.aws.iam_role import Role, RolePolicy, RolePolicyAttachment
from sandbox.engine.aws.launch_template import LaunchTemplate
from sandbox.engine.aws.oidc_provider import OpenIdConnectProvider
from sandbox.engine.aws.pod_identity import PodIdentityAssociation
from sandbox.engine.aws.resource import NotUsableError, Resource, Waiting, with_own_tags
from sandbox.engine.aws.schema import function_shape, provider_shape
from sandbox.engine.aws.security_group import DefaultSecurityGroup, SecurityGroup
from sandbox.engine.provider.base import Checked, Difference, StandIn, State, Target
from sandbox.engine.provider.failures import InitFailed, ProviderError, UnsupportedTypeError
from sandbox.engine.provider.values import JsonObject, has_unknown

RESOURCES: Mapping[str, Resource] = {
    each.schema.token: each
    for each in (
        *(Addon(), OpenIdConnectProvider(), PodIdentityAssociation()),
        *(Policy(), Role(), RolePolicy(), RolePolicyAttachment()),
        *(DefaultSecurityGroup(), LaunchTemplate(), SecurityGroup()),
        *ec2_network.TYPES,
        *ec2_routes.TYPES,
        *eks_cluster.TYPES,
        *iam_exclusive.TYPES,
        eks_node_group.NODE_GROUP,
        *logs_and_keys.TYPES,
        *s3_bucket.TYPES,
    )
}

_ANY_REGION = frozenset({"aws:index/getRegion:getRegion"})


class AwsStandIn(StandIn):
    """One `aws` provider resource of one engine run.

    Secrets need no care here: to a provider that does not take them the engine gives bare values, and it marks the
    outputs of the same names again.
    """

    package = "aws"
    version = version("pulumi-aws")

    _account: Account | None = None

    def check_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Checked:
        accepted = provider_shape().inputs | {"version"}
        wanted = f"Accepted are {', '.join(sorted(accepted))}"
        failures = [
            (key, f"Invalid or unknown key. {wanted}. Examine values at '{target.name}.{key}'.")
            for key in sorted(news.keys() - accepted)
        ]
        return Checked(news, failures)

    def configure(self, config: JsonObject) -> None:
        if has_unknown(config):
            self._account = None  # nothing can be read before the update knows the settings
            return
        self._account = Account(Settings.of(config))

    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        tags = self._account.settings.default_tags if self._account else {}
        return properties.check(_resource(target).schema, news, properties.Occasion(target.name, olds, seed, tags))

    def diff(
        self, target: Target, resource_id: str, olds: State, news: JsonObject, ignore_changes: Sequence[str]
    ) -> Difference:
        return properties.diff(_resource(target).schema, olds.inputs, olds.outputs, news, ignore_changes)

    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State:
        resource = _resource(target)
        if preview:
            return State("", resource.planned(inputs, {}))
        try:
            resource_id = resource.create(self._aws(), inputs, Waiting(timeout, self.cancelled))
        except NotUsableError as error:
            outputs = self._state(resource, error.resource_id, inputs, inputs)
            raise InitFailed(error.resource_id, outputs, inputs, [str(error)]) from error
        return State(resource_id, self._state(resource, resource_id, inputs, inputs))

    def read(self, target: Target, olds: State) -> State:
        resource = _resource(target)
        # As in the released provider, a read that knows nothing is an import.
        resource_id = olds.resource_id if olds.outputs else resource.imported(self._aws(), olds.resource_id)
        outputs = self._state(resource, resource_id, olds.outputs, olds.inputs)
        if not outputs:
            return State("")
        return State(resource_id, outputs, properties.inputs_of(resource.schema, outputs, olds.inputs))

    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State:
        resource = _resource(target)
        if preview:
            return State(olds.resource_id, resource.planned(news, olds.outputs))
        resource.update(self._aws(), olds.resource_id, olds.outputs, news, Waiting(timeout, self.cancelled))
        return State(olds.resource_id, self._state(resource, olds.resource_id, news, news))

    def delete(self, target: Target, olds: State, timeout: float) -> None:
        _resource(target).delete(self._aws(), olds.resource_id, olds.outputs, Waiting(timeout, self.cancelled))

    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]:
        function = FUNCTIONS.get(token)
        if function is None:
            raise UnsupportedTypeError(token, self.package, sorted(FUNCTIONS), "function")
        shape = function_shape(token)
        for key in arguments.keys() - shape.inputs:
            near = difflib.get_close_matches(key, shape.inputs, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ProviderError(f"{token} has no argument {key!r}{hint}")
        region = arguments.get("region")
        if token not in _ANY_REGION and region not in {None, self._aws().region}:
            raise ProviderError(f"{token}: the sandbox's stand-in serves the provider's own region, not {region!r}")
        try:
            return result(shape.outputs, function(self._aws(), arguments))
        except ProviderError as error:
            raise ProviderError(f"invoking {token}: {error}") from error

    def _aws(self) -> Account:
        if self._account is None:
            raise ProviderError(
                "the settings of the aws provider are not known before the update, so it can look at nothing yet"
            )
        return self._account

    def _state(
        self, resource: Resource, resource_id: str, known: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Outputs as AWS has them now, empty when there is no such thing. `known` holds what AWS does not keep."""
        actual = resource.read(self._aws(), resource_id)
        if actual is None:
            return {}
        state = properties.remembered(resource.schema, known, actual)
        tagged = with_own_tags(state, inputs.get("tags") or {}, self._aws().settings.default_tags)
        return {**tagged, "id": resource_id}


def _resource(target: Target) -> Resource:
    try:
        return RESOURCES[target.type]
    except KeyError:
        raise UnsupportedTypeError(target.type, AwsStandIn.package, sorted(RESOURCES)) from None
