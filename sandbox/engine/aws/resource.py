"""Description of a resource type: its properties and the API calls that serve it."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call, failed, unless_missing
from sandbox.engine.aws.schema import PropertyNames, resource_names
from sandbox.engine.aws.tags import ALL_TAGS, TAGS
from sandbox.engine.aws.validators import Validator
from sandbox.engine.aws.waiting import Waiting, issue_text, outcome

Properties = Mapping[str, Any]
Description = dict[str, Any]
"""A resource as AWS describes it."""
_LOWER_CASE_SERVICES = frozenset({"eks", "logs"})


@dataclass(frozen=True)
class Property:
    """One input of a resource type.

    default: value that the provider fills in; None for no value.
    replaces: a change replaces the resource.
    computed: AWS chooses a value when the program gives none, so a missing value is no change.
    same: whether two values have the same meaning.
    keeps_text: the state keeps the program's text when AWS's text has the same meaning.
    validate: returns why a value is not accepted, None when it is.
    must_be_given: the released provider generates a value, this stand-in does not, so the program must give one.
    argument: argument of the create call; None for the property's name in the service's spelling, empty for none.
    path: JMESPath to the value in the description; None for the name of the argument, empty for no value.
    initial: value after a create call that does not send the property; None when the call sends it.
    update: changes the property in place. Properties that share one update are changed by one call of it.
    local: AWS does not store the property, so a change needs no call.
    """

    default: object = None
    replaces: bool = False
    computed: bool = False
    same: Callable[[Any, Any], bool] = operator.eq
    keeps_text: bool = False
    validate: Validator | None = None
    must_be_given: bool = False
    argument: str | None = None
    path: str | None = None
    initial: object = None
    update: "Update | None" = None
    local: bool = False


FIXED = Property(replaces=True)
CHOSEN = Property(replaces=True, computed=True)
LOCAL = Property(local=True, argument="", path="")
REGION = {"region": Property(replaces=True, computed=True, argument="", path="")}
TAGGED = {TAGS: Property(argument="", path="")}
REGION_AND_TAGS = REGION | TAGGED


@dataclass(frozen=True)
class Wait:
    """The states of a resource on which AWS is still at work.

    path: JMESPath to the state in the description; the state of a missing resource is empty.
    pending: states in which to wait.
    good: accepted states.
    seconds: the provider's own limit.
    issues: JMESPath to the reasons for a bad state.
    """

    path: str
    pending: frozenset[str]
    good: frozenset[str]
    seconds: float
    issues: str = ""


@dataclass(frozen=True)
class Tagging:
    """Tag calls of a service.

    create: arguments of the create call, from the tags; None when only existing resources can be tagged.
    read: tags of a description.
    change: sets tags and removes tag keys.
    """

    create: Callable[[Mapping[str, str]], Mapping[str, Any]] | None
    read: Callable[[Account, Description], dict[str, str]]
    change: "Callable[[Operation, dict[str, str], list[str]], None]"


@dataclass(frozen=True)
class ResourceType:
    """One resource type. A call that needs code is a function where most types have the name of an API operation.

    label: its name in the provider's messages.
    service: boto3's name of the service.
    outputs: outputs that are not inputs, by the names that the description has in the service's spelling.
    output_paths: outputs that are not inputs, with their JMESPath in the description.
    id_pattern: regular expression for the id, with a group for each argument that names the resource in calls.
    id_error: message for an id of another format.
    create: API operation, or a function that returns an answer.
    id_path: JMESPath to the id in the answer, which also has the `inputs`.
    more_arguments: further arguments of the create call.
    describe: API operation, or a function that returns the description by id.
    list_argument: argument of `describe` that takes a list of ids; empty for the groups of `id_pattern`.
    description_path: JMESPath to the description in the answer.
    more_outputs: outputs that need further calls or code.
    update: changes any property; None when properties have updates of their own.
    delete: API operation, or a function; empty when there is nothing to delete.
    arn: format of the `arn` output.
    import_id: returns the id for an import id of another format.
    create_wait, delete_wait: states to wait for after the create and after the delete.
    update_seconds: limit of an update that EKS runs in the background.
    messages: format of a message, by `creating`, `reading`, `updating`, `tagging`, `deleting`, `waiting`.
    unknown_parts: parts of a block that AWS adds, which a preview does not know.
    longest_name: length limit of an automatic name; 0 for no automatic name.
    """

    token: str
    label: str
    service: str
    properties: Mapping[str, Property]
    id_pattern: str
    create: "str | Callable[[Operation], Mapping[str, Any]]"
    id_path: str
    describe: str | Callable[[Account, str], Description | None]
    delete: "str | Callable[[Operation], object]"
    description_path: str = "@"
    list_argument: str = ""
    id_error: str = ""
    outputs: Sequence[str] = ()
    output_paths: Mapping[str, str] = field(default_factory=dict)
    more_arguments: Callable[[Account, Properties], Mapping[str, Any]] | None = None
    more_outputs: Callable[[Account, Description], Mapping[str, Any]] | None = None
    update: "Callable[[Operation], object] | None" = None
    tagging: Tagging | None = None
    arn: str = ""
    import_id: Callable[[Account, str], str] | None = None
    create_wait: Wait | None = None
    delete_wait: Wait | None = None
    update_seconds: float = 3600
    messages: Mapping[str, str] = field(default_factory=dict)
    unknown_parts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    longest_name: int = 0
    delete_before_replace: bool = False

    @property
    def names(self) -> PropertyNames:
        """Names of its properties in the SDK."""
        return resource_names(self.token)

    def argument(self, key: str) -> str:
        """Return the API argument of a property; empty for none."""
        given = self.properties[key].argument
        return self._spelled(key) if given is None else given

    def ignores(self, key: str) -> bool:
        """Return whether no call sends a property, so that only its default has an effect."""
        spec = self.properties[key]
        # Functions may send properties without an argument of their own.
        by_table = isinstance(self.create, str) and self.update is None and self.more_arguments is None
        return by_table and not self.argument(key) and spec.update is None and not (spec.local or spec.replaces)

    def path(self, key: str) -> str:
        """Return the JMESPath to a property or an output in the description; empty for none."""
        if key in self.properties:
            given = self.properties[key].path
            return self.argument(key) or self._spelled(key) if given is None else given
        return self.output_paths.get(key) or self._spelled(key)

    def arguments(self, aws: Account, inputs: Properties) -> dict[str, Any]:
        """Return the arguments of the create call."""
        arguments = {
            self.argument(key): inputs[key]
            for key, spec in self.properties.items()
            if self.argument(key) and spec.initial is None and inputs.get(key) is not None
        }
        if self.more_arguments:
            arguments |= self.more_arguments(aws, inputs)
        if self.tagging and self.tagging.create:
            arguments |= self.tagging.create(inputs.get(ALL_TAGS) or {})
        return arguments

    def id_arguments(self, resource_id: str) -> dict[str, str]:
        """Return the arguments that name a resource in calls. Raises ProviderError for an id of another format."""
        found = re.fullmatch(self.id_pattern, resource_id)
        if found is None:
            raise failed(f"importing {resource_id!r}", ValueError(self.id_error))
        return found.groupdict()

    def description(self, aws: Account, resource_id: str) -> Description | None:
        """Describe a resource; None when it does not exist. The arguments that name it are part of the description."""
        which = self.id_arguments(resource_id)
        found = unless_missing(lambda: self._described(aws, resource_id, which))
        return None if found is None else {**which, **found}

    def _described(self, aws: Account, resource_id: str, which: Mapping[str, str]) -> Description | None:
        if not isinstance(self.describe, str):
            return self.describe(aws, resource_id)
        arguments = {self.list_argument: [resource_id]} if self.list_argument else which
        return jmespath.search(self.description_path, call(aws.client(self.service), self.describe, **arguments))

    def message(self, verb: str, resource_id: str, values: Properties) -> str:
        """Return what the provider says of an operation: `creating EC2 VPC`, `updating IAM Role (r) tags`."""
        default = f"{verb} {self.label} ({{id}})" if resource_id else f"{verb} {self.label}"
        return self.messages.get(verb, default).format_map({**values, "id": resource_id})

    def _spelled(self, key: str) -> str:
        return key if self.service in _LOWER_CASE_SERVICES else key[0].upper() + key[1:]


@dataclass(frozen=True)
class Operation:
    """One operation on one resource, with its state `olds` and its new inputs `news`; either may be empty."""

    aws: Account
    kind: ResourceType
    resource_id: str
    olds: Properties
    news: Properties
    waiting: Waiting

    @property
    def client(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Client of the type's service."""
        return self.aws.client(self.kind.service)

    def call(self, operation: str, **arguments: object) -> dict[str, Any]:
        """Call the service with the arguments that name the resource; wait for the update that EKS starts."""
        named = self.kind.id_arguments(self.resource_id)
        answer = call(self.client, operation, **named, **arguments)
        if self.kind.service == "eks" and "update" in answer:
            cluster = named.pop("clusterName", None) or named.pop("name")
            self._wait_for_update(answer["update"], name=cluster, **named)
        return answer

    def create_call(self, operation: str) -> dict[str, Any]:
        """Call the service with the arguments of a create."""
        return call(self.client, operation, **self.kind.arguments(self.aws, self.news))

    def wait(self, wait: Wait | None) -> Exception | None:
        """Wait for a state; returns the error when it is not reached."""
        if wait is None:
            return None
        last: Description = {}

        def settled() -> bool:
            last.clear()
            last.update(self.kind.description(self.aws, self.resource_id) or {})
            return state() not in wait.pending

        def state() -> str:
            return str(jmespath.search(wait.path, last) or "")

        late = self.waiting.until(settled, wait.seconds)
        if late is None and state() in wait.good:
            return None
        if late is not None and not wait.issues:
            last_state = {"state": state()}
            return TimeoutError(f"timeout while waiting for state to become one of {sorted(wait.good)} ({last_state})")
        issues = (jmespath.search(wait.issues, last) if wait.issues else None) or []
        return outcome(state(), ", ".join(sorted(wait.good)), late, [issue_text(each) for each in issues])

    def _wait_for_update(self, update: Mapping[str, Any], **owner: str) -> None:
        last = dict(update)

        def ended() -> bool:
            last.update(call(self.client, "DescribeUpdate", updateId=update["id"], **owner)["update"])
            return last["status"] != "InProgress"

        late = self.waiting.until(ended, self.kind.update_seconds)
        issues = [issue_text(each) for each in last.get("errors", [])]
        problem = outcome(last["status"], "Successful", late, issues)
        if problem:
            values = {"update": update["id"]}
            raise failed(self.kind.message("waiting", self.resource_id, values), problem)


Update = Callable[[Operation, Sequence[str]], object]
"""Change of properties in place; takes the names of those that differ."""


def send_to(operation: str, *, off: str = "", **fixed: object) -> Update:
    """Return an update that sends the new values to one API operation.

    off: operation for an empty value, called without it.
    fixed: further arguments.
    """

    def update(op: Operation, keys: Sequence[str]) -> None:
        if off and not any(op.news.get(key) for key in keys):
            op.call(off)
            return
        values = {argument: op.news.get(key) for key in keys if (argument := op.kind.argument(key))}
        op.call(operation, **values, **fixed)

    return update
