"""The `aws` provider: served resource types and the engine's requests."""

# ruff: noqa: ARG002 - a provider uses only some parameters

import difflib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from sandbox.engine.aws import (
    ec2_network,
    ec2_routes,
    eks_addon,
    eks_cluster,
    eks_node_group,
    iam,
    launch_template,
    logs_and_keys,
    operations,
    properties,
    s3_bucket,
    security_group,
)
from sandbox.engine.aws.account import Account, Settings
from sandbox.engine.aws.functions import FUNCTIONS, result
from sandbox.engine.aws.operations import NotUsableError
from sandbox.engine.aws.resource import Operation, ResourceType
from sandbox.engine.aws.schema import function_names, provider_names
from sandbox.engine.aws.tags import with_own_tags
from sandbox.engine.aws.waiting import Waiting
from sandbox.engine.provider.failures import InitFailed, ProviderError, UnsupportedTypeError
from sandbox.engine.provider.servicer import Checked, Difference, StandIn, State, Target
from sandbox.engine.provider.values import JsonObject, has_unknown

_MODULES = (
    *(ec2_network, ec2_routes, eks_addon, eks_cluster, eks_node_group),
    *(iam, launch_template, logs_and_keys, s3_bucket, security_group),
)
RESOURCES: Mapping[str, ResourceType] = {
    each.token: each for module in _MODULES for each in vars(module).values() if isinstance(each, ResourceType)
}
"""Every resource type that the modules define, by token."""

_ANY_REGION = frozenset({"aws:index/getRegion:getRegion"})


class AwsStandIn(StandIn):
    """One `aws` provider resource of one engine run.

    The engine sends plain values instead of secrets, and marks outputs with the same names as secret again.
    """

    package = "aws"
    version = version("pulumi-aws")

    _account: Account | None = None

    def check_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Checked:
        accepted = provider_names().inputs | {"version"}
        wanted = f"Accepted are {', '.join(sorted(accepted))}"
        failures = [
            (key, f"Invalid or unknown key. {wanted}. Examine values at '{target.name}.{key}'.")
            for key in sorted(news.keys() - accepted)
        ]
        return Checked(news, failures)

    def configure(self, config: JsonObject) -> None:
        if has_unknown(config):
            self._account = None  # a preview cannot read anything with unknown settings
            return
        self._account = Account(Settings.of(config))

    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        tags = self._account.settings.default_tags if self._account else {}
        return properties.check(_kind(target), news, properties.CheckContext(target.name, olds, seed, tags))

    def diff(
        self, target: Target, resource_id: str, olds: State, news: JsonObject, ignore_changes: Sequence[str]
    ) -> Difference:
        return properties.diff(_kind(target), olds.inputs, olds.outputs, news, ignore_changes)

    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State:
        kind = _kind(target)
        if preview:
            return State("", operations.planned(kind, inputs, {}))
        try:
            resource_id = operations.create(self._operation(kind, State(""), inputs, timeout))
        except NotUsableError as error:
            outputs = self._state(kind, error.resource_id, inputs, inputs)
            raise InitFailed(error.resource_id, outputs, inputs, [str(error)]) from error
        return State(resource_id, self._state(kind, resource_id, inputs, inputs))

    def read(self, target: Target, olds: State) -> State:
        kind = _kind(target)
        resource_id = olds.resource_id
        # As in the released provider, a read without a state is an import.
        if not olds.outputs and kind.import_id:
            resource_id = kind.import_id(self._aws(), resource_id)
        outputs = self._state(kind, resource_id, olds.outputs, olds.inputs)
        if not outputs:
            return State("")
        return State(resource_id, outputs, properties.inputs_of(kind, outputs, olds.inputs))

    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State:
        kind = _kind(target)
        if preview:
            return State(olds.resource_id, operations.planned(kind, news, olds.outputs))
        operations.update(self._operation(kind, olds, news, timeout))
        return State(olds.resource_id, self._state(kind, olds.resource_id, news, news))

    def delete(self, target: Target, olds: State, timeout: float) -> None:
        operations.delete(self._operation(_kind(target), olds, {}, timeout))

    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]:
        function = FUNCTIONS.get(token)
        if function is None:
            raise UnsupportedTypeError(token, self.package, sorted(FUNCTIONS), "function")
        names = function_names(token)
        for key in arguments.keys() - names.inputs:
            near = difflib.get_close_matches(key, names.inputs, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ProviderError(f"{token} has no argument {key!r}{hint}")
        region = arguments.get("region")
        if token not in _ANY_REGION and region not in {None, self._aws().region}:
            raise ProviderError(f"{token}: the sandbox's stand-in serves the provider's own region, not {region!r}")
        try:
            return result(names.outputs, function(self._aws(), arguments))
        except ProviderError as error:
            raise ProviderError(f"invoking {token}: {error}") from error

    def _aws(self) -> Account:
        if self._account is None:
            raise ProviderError(
                "the settings of the aws provider are not known before the update, so it cannot read resources yet"
            )
        return self._account

    def _operation(self, kind: ResourceType, olds: State, news: JsonObject, timeout: float) -> Operation:
        waiting = Waiting(timeout, self.cancelled)
        return Operation(self._aws(), kind, olds.resource_id, olds.outputs, news, waiting)

    def _state(
        self, kind: ResourceType, resource_id: str, known: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the current outputs, empty when the resource does not exist. `known` has what AWS does not store."""
        actual = operations.read(kind, self._aws(), resource_id)
        if actual is None:
            return {}
        state = properties.stored_state(kind, known, actual)
        tagged = with_own_tags(state, inputs.get("tags") or {}, self._aws().settings.default_tags)
        return {**tagged, "id": resource_id}


def _kind(target: Target) -> ResourceType:
    try:
        return RESOURCES[target.type]
    except KeyError:
        raise UnsupportedTypeError(target.type, AwsStandIn.package, sorted(RESOURCES)) from None
