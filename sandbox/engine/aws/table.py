"""Resource types that differ only in names: one class, a table of verbs for each type."""

# ruff: noqa: ARG005 - the functions of a table take the same arguments, whichever they need

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import ALL_TAGS, DEFAULTS, TAGS, Schema
from sandbox.engine.aws.resource import NotUsableError, Properties, Resource, Waiting, tag_change, tag_list, tag_map
from sandbox.engine.provider.failures import ProviderError

Thing = dict[str, Any]
"""A resource as AWS describes it."""


@dataclass(frozen=True)
class Step:
    """A property that has a verb of its own.

    key: the property.
    verb: what sets it; `off` is the verb for values that are nothing.
    arguments: of the verb, from the resource's id and the property's value.
    initial: what AWS has after the create, so that this value needs no call.
    """

    key: str
    verb: str
    arguments: Callable[[str, Any], Mapping[str, Any]]
    initial: object = None
    off: str = ""

    def run(self, client: Any, resource_id: str, value: object) -> None:  # noqa: ANN401 - made by boto3 at run time
        """Set the property."""
        call(client, self.verb if value or not self.off else self.off, **self.arguments(resource_id, value))


@dataclass(frozen=True)
class Wait:
    """For the states in which AWS is still at work.

    state: where the state stands in the description.
    pending: those in which to ask again; a description that is missing ends it as well.
    good: those that are fine.
    seconds: the provider's own limit.
    """

    state: str
    pending: frozenset[str]
    good: frozenset[str]
    seconds: float


@dataclass(frozen=True)
class Tagging:
    """How a service takes tags.

    create: the arguments of the create, from the tags; None: the service takes tags only of what exists.
    read: the tags of a description.
    change: (verb, arguments) of each call, from the resource's id, its state, tags to set and keys to remove.
    """

    create: Callable[[Mapping[str, str]], Mapping[str, Any]] | None
    read: Callable[[Account, Thing], dict[str, str]]
    change: Callable[[str, Properties, dict[str, str], list[str]], list[tuple[str, Mapping[str, Any]]]]


def as_they_are(*keys: str) -> dict[str, str]:
    """Names of properties that AWS writes in the same way."""
    return {key: key for key in keys}


def capitalised(*keys: str) -> dict[str, str]:
    """Names of properties that AWS writes with a capital: `vpcId` as `VpcId`."""
    return {key: key[0].upper() + key[1:] for key in keys}


def by_list(argument: str) -> Callable[[str], Mapping[str, Any]]:
    """Names a resource by a list with its id alone, such as `VpcIds`."""
    return lambda resource_id: {argument: [resource_id]}


def by_id(argument: str) -> Callable[[str, Properties], Mapping[str, Any]]:
    """Names a resource that goes by its id, such as `VpcId`."""
    return lambda resource_id, olds: {argument: resource_id}


def ec2_tags(kind: str) -> Tagging:
    """EC2 wants the resource's type beside the tags of a create."""

    def change(
        resource_id: str, olds: Properties, changed: dict[str, str], removed: list[str]
    ) -> list[tuple[str, Mapping[str, Any]]]:
        del olds
        calls: list[tuple[str, Mapping[str, Any]]] = []
        if removed:
            calls.append(("DeleteTags", {"Resources": [resource_id], "Tags": [{"Key": key} for key in removed]}))
        if changed:
            calls.append(("CreateTags", {"Resources": [resource_id], "Tags": tag_list(changed)}))
        return calls

    return Tagging(
        create=lambda tags: {"TagSpecifications": [{"ResourceType": kind, "Tags": tag_list(tags)}]},
        read=lambda aws, thing: tag_map(thing.get("Tags")),
        change=change,
    )


def eks_tags(arn: str) -> Tagging:
    """EKS takes a map. `arn` is the property with the resource's ARN."""

    def change(
        resource_id: str, olds: Properties, changed: dict[str, str], removed: list[str]
    ) -> list[tuple[str, Mapping[str, Any]]]:
        del resource_id
        calls: list[tuple[str, Mapping[str, Any]]] = []
        if removed:
            calls.append(("UntagResource", {"resourceArn": olds[arn], "tagKeys": removed}))
        if changed:
            calls.append(("TagResource", {"resourceArn": olds[arn], "tags": changed}))
        return calls

    return Tagging(
        create=lambda tags: {"tags": dict(tags)},
        read=lambda aws, thing: dict(thing.get("tags") or {}),
        change=change,
    )


@dataclass(frozen=True)
class Verbs:
    """How AWS makes, describes and removes one type.

    what: as the provider's messages call it.
    service: boto3's name of the service.
    create: the verb, and `created` where its answer has the id (JMESPath); empty: the id follows from the inputs.
    describe: the verb, and `found` where its answer has the resource (`$id` stands for the id).
    named: the arguments that name a resource to `describe`, from its id.
    delete: the verb, and `deleted` its arguments from id and state; empty: nothing to do.
    names: properties to the argument of the create, also a path (`Ebs.VolumeSize`); a property without one is not sent.
    state: properties to where the description has them (JMESPath), on top of `names` that are no paths.
    """

    what: str
    service: str
    create: str
    created: str
    describe: str
    named: Callable[[str], Mapping[str, Any]]
    found: str
    delete: str
    deleted: Callable[[str, Properties], Mapping[str, Any]]
    names: Mapping[str, str]
    state: Mapping[str, str] = field(default_factory=dict)
    identity: Callable[[Properties], str] | None = None
    steps: Sequence[Step] = ()
    tagging: Tagging | None = None
    arn: str = ""
    """ARN of an EC2 resource up to its id, such as `vpc`."""
    also: Callable[[Properties], Mapping[str, Any]] | None = None
    """Further arguments of the create."""
    made: Wait | None = None
    gone: Wait | None = None
    more: Callable[[Account, str, Thing], Mapping[str, Any]] | None = None
    """Properties that need another look."""


class TableResource(Resource):
    """One type by its table."""

    def __init__(self, schema: Schema, verbs: Verbs) -> None:
        self.schema = schema
        self.verbs = verbs

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        verbs = self.verbs
        client = aws.client(verbs.service)
        try:
            answer = call(client, verbs.create, **self._arguments(inputs))
            resource_id = verbs.identity(inputs) if verbs.identity else jmespath.search(verbs.created, answer)
        except AwsError as error:
            raise failed(f"creating {verbs.what}", error) from error
        try:
            late = self._wait(aws, resource_id, verbs.made, waiting)
            for step in verbs.steps:
                value = inputs.get(step.key)
                if value is not None and value != step.initial and step.key not in verbs.names:
                    step.run(client, resource_id, value)
            if verbs.tagging and not verbs.tagging.create:
                self._tag(client, resource_id, {}, inputs)
        except AwsError as error:
            raise NotUsableError(resource_id, str(failed(f"creating {verbs.what} ({resource_id})", error))) from error
        if late is not None:
            raise NotUsableError(resource_id, str(failed(f"waiting for {verbs.what} ({resource_id}) create", late)))
        return resource_id

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        verbs = self.verbs
        try:
            thing = self._describe(aws, resource_id)
            if thing is None:
                return None
            more = verbs.more(aws, resource_id, thing) if verbs.more else {}
        except AwsError as error:
            raise failed(f"reading {verbs.what} ({resource_id})", error) from error
        plain = {key: path for key, path in verbs.names.items() if "." not in path}
        state = {key: jmespath.search(path, thing) for key, path in (plain | dict(verbs.state)).items()}
        if verbs.tagging:
            state[TAGS] = verbs.tagging.read(aws, thing)
        if verbs.arn:
            state["arn"] = f"arn:{aws.partition}:ec2:{aws.region}:{aws.id}:{verbs.arn}/{resource_id}"
        known = {key: value for key, value in (state | dict(more)).items() if value is not None}
        outputs = self.schema.shape.outputs
        return {key: value for key, value in known.items() if key in outputs} | (
            {"region": aws.region} if "region" in outputs else {}
        )

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        verbs = self.verbs
        client = aws.client(verbs.service)
        steps = {step.key: step for step in verbs.steps}
        try:
            for key in sorted(self._changed(olds, news)):
                if key not in steps:
                    raise ProviderError(
                        f"the sandbox's stand-in does not change {key!r} of {self.schema.token} in place; "
                        "use the released plugin"
                    )
                steps[key].run(client, resource_id, news.get(key))
                self._wait(aws, resource_id, verbs.made, waiting)
            self._tag(client, resource_id, olds, news)
        except AwsError as error:
            raise failed(f"updating {verbs.what} ({resource_id})", error) from error

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        verbs = self.verbs
        if not verbs.delete:
            return
        try:
            unless_missing(lambda: call(aws.client(verbs.service), verbs.delete, **verbs.deleted(resource_id, olds)))
            late = self._wait(aws, resource_id, verbs.gone, waiting)
        except AwsError as error:
            raise failed(f"deleting {verbs.what} ({resource_id})", error) from error
        if late is not None:
            raise failed(f"waiting for {verbs.what} ({resource_id}) delete", late)

    def _arguments(self, inputs: Properties) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for key, path in self.verbs.names.items():
            if inputs.get(key) is not None:
                *outer, last = path.split(".")
                place = arguments
                for name in outer:
                    place = place.setdefault(name, {})
                place[last] = inputs[key]
        if self.verbs.also:
            arguments |= self.verbs.also(inputs)
        if self.verbs.tagging and self.verbs.tagging.create and inputs.get(ALL_TAGS):
            arguments |= self.verbs.tagging.create(inputs[ALL_TAGS])
        return arguments

    def _tag(self, client: Any, resource_id: str, olds: Properties, news: Properties) -> None:  # noqa: ANN401 - by boto3
        changed, removed = tag_change(olds, news)
        tagging = self.verbs.tagging
        for verb, arguments in tagging.change(resource_id, olds, changed, removed) if tagging else ():
            call(client, verb, **arguments)

    def _changed(self, olds: Properties, news: Properties) -> set[str]:
        return {
            key
            for key, spec in self.schema.properties.items()
            if key not in {TAGS, DEFAULTS}
            and not (spec.computed and news.get(key) is None)
            and not (news.get(key) in {None, ""} if not isinstance(news.get(key), list | dict) else False)
            and (olds.get(key) is None or not spec.same(olds[key], news.get(key)))
        }

    def _describe(self, aws: Account, resource_id: str) -> Thing | None:
        client = aws.client(self.verbs.service)
        answer = unless_missing(lambda: call(client, self.verbs.describe, **self.verbs.named(resource_id)))
        return jmespath.search(self.verbs.found.replace("$id", resource_id), answer) if answer else None

    def _wait(self, aws: Account, resource_id: str, wait: Wait | None, waiting: Waiting) -> Exception | None:
        """What is wrong when the wait ends badly."""
        if wait is None:
            return None
        last: dict[str, str] = {}

        def settled() -> bool:
            thing = self._describe(aws, resource_id)
            last["state"] = str(jmespath.search(wait.state, thing)) if thing else ""
            return last["state"] not in wait.pending

        if waiting.until(settled, wait.seconds) is not None:
            return TimeoutError(f"timeout while waiting for state to become one of {sorted(wait.good)} ({last})")
        if last["state"] in wait.good:
            return None
        return RuntimeError(f"unexpected state '{last['state']}', wanted target '{', '.join(sorted(wait.good))}'")
