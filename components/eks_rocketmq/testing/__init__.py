"""Mocks for unit tests of programs that use the components; see docs/how-to/test-your-program.md."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import MockCallArgs, MockResourceArgs

from eks_rocketmq.pulumi_sdk import sdk_internals
from eks_rocketmq.testing import answers

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Any]
"""Fields that replace those of the default answer, or a function that returns the whole answer.

The function takes the arguments of a lookup or the inputs of a resource. Names are the provider's own, in camelCase.
"""


class Mocks(pulumi.runtime.Mocks):
    """AWS account for `set_mocks`, with an ACTIVE EKS cluster, its IAM OIDC provider and its EBS CSI driver.

    Lookups find every name. New resources get plausible outputs (`id`, `arn`, `name`, …). At preview only their inputs
    are known, as with the real providers. There are no network requests.
    """

    created: list[MockResourceArgs]
    """All resources that the program registered or read, in no fixed order."""

    def __init__(
        self,
        *,
        region: str = "eu-west-1",
        account_id: str = "123456789012",
        kubernetes_version: str = "1.35",
        lookups: Mapping[str, Answer] | None = None,
        outputs: Mapping[str, Answer] | None = None,
    ) -> None:
        """Configure the account.

        `lookups` has other answers to lookups by token, such as `aws:eks/getCluster:getCluster`. `outputs` has other
        outputs of new or read resources by type, such as `aws:iam/role:Role`. The output `id` sets the id.
        """
        self.created = []
        self._account = answers.Account(region, account_id, kubernetes_version)
        self._lookups, self._outputs = dict(lookups or {}), dict(outputs or {})

    def call(self, args: MockCallArgs) -> Any:  # noqa: ANN401 - as in the SDK's base class
        """Answer a lookup. Raise LookupError if no component makes the lookup, and `lookups` has no answer to it."""
        default, own = answers.LOOKUPS.get(args.token), self._lookups.get(args.token)
        if default is None and own is None:
            msg = f"{args.token}: no answer. Give one in Mocks(lookups={{{args.token!r}: …}})."
            raise LookupError(msg)
        arguments = sdk_internals.to_plain_value(args.args)
        return _merge_answer(own, arguments, lambda: default(self._account, arguments) if default else {})

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return id and outputs of a resource."""
        self.created.append(args)
        inputs = sdk_internals.to_plain_value(args.inputs)
        own = self._outputs.get(args.typ)
        if args.custom is None:
            found = _merge_answer(own, inputs, lambda: answers.read_object(args.typ, args.resource_id or ""))
            return found.pop("id", args.resource_id), found
        if args.typ == answers.CLUSTER_COMPONENT:
            return None, self._new_cluster(args, inputs, own)
        if not args.custom:
            return None, dict(args.inputs)
        if pulumi.runtime.is_dry_run():
            return "", dict(args.inputs)
        outputs = _merge_answer(
            own, inputs, lambda: answers.compute_outputs(args.typ, self._account, args.name, inputs)
        )
        return outputs.pop("id", f"{args.name}-id"), {**args.inputs, **outputs}

    def inputs(self, type_: str, name: str | None = None) -> dict[str, Any]:
        """Return the inputs of the only resource of a type (and name), in the provider's own names.

        `type_` is a type, such as `kubernetes:apps/v1:StatefulSet`, or the last part of it. `name` is the name in the
        program; required if there are several. Raise LookupError if there is none, or more than one.
        """
        found = self._created_of(type_)
        chosen = [each for each in found if name in (None, each.name)]
        if len(chosen) != 1:
            msg = f"{type_} {name or ''}: there are {len(chosen)}, of this type {sorted(each.name for each in found)}"
            raise LookupError(msg)
        return sdk_internals.to_plain_value(chosen[0].inputs)

    def names(self, type_: str) -> list[str]:
        """Return the names of all resources of a type, sorted."""
        return sorted(each.name for each in self._created_of(type_))

    def _created_of(self, type_: str) -> list[MockResourceArgs]:
        return [each for each in self.created if type_ in (each.typ, each.typ.rsplit(":", 1)[-1])]

    def _new_cluster(self, args: MockResourceArgs, inputs: Mapping[str, Any], own: Answer | None) -> dict[str, Any]:
        """Return the outputs of pulumi_eks's component with the cluster in it. `own` are outputs of that cluster."""
        state = {"name": inputs["name"], "version": inputs.get("version")}
        if not pulumi.runtime.is_dry_run():
            state |= _merge_answer(own, inputs, lambda: answers.create_cluster(self._account, inputs))
        id_ = str(state.pop("id", ""))
        reference = sdk_internals.add_mock_resource("aws:eks/cluster:Cluster", f"{args.name}-eksCluster", id_, state)
        return {"eksCluster": reference}


def _merge_answer(own: Answer | None, inputs: Mapping[str, Any], default: Callable[[], dict[str, Any]]) -> Any:  # noqa: ANN401
    if callable(own):
        answer = own(inputs)
        return dict(answer) if isinstance(answer, Mapping) else answer
    return {**default(), **(own or {})}


def stack_config(stack: str, directory: Path | str = ".") -> dict[str, str]:
    """Return the configuration that `pulumi` passes to a stack's program, for `pulumi.runtime.set_all_config`.

    `directory` is the folder with `Pulumi.yaml` and the stack file.
    """
    folder = Path(directory)
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    stack_file = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")) or {}
    defaults = {
        key: each.get("default", each.get("value")) if isinstance(each, Mapping) else each
        for key, each in project.get("config", {}).items()
    }
    values = {key if ":" in key else f"{project['name']}:{key}": value for key, value in defaults.items()}
    values |= stack_file.get("config", {})
    return {key: _to_config_text(value) for key, value in values.items() if value is not None}


def _to_config_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
