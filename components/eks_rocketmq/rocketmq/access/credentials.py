"""Passwords of access control and the Secrets that carry them."""

from dataclasses import dataclass
from typing import cast

import pulumi_kubernetes as k8s
import pulumi_random as random
from pulumi import ComponentResource, Input, Output, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.access.access import AccessPlan, User, checked_password
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.pods import workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan

_LETTERS = 32  # of 62: 190 bits


@dataclass(frozen=True)
class Secrets:
    """Names of the Secrets, which change with their content."""

    internal: Input[str]
    """`username` and `password` of the user by which RocketMQ's own pods know each other."""
    declared: Input[str]
    """`users` and `permissions` as every broker must have them."""


class Credentials(ComponentResource):
    """Generated passwords, and Secrets whose names carry a hash of their content, so that pods roll with it."""

    passwords: Output[dict[str, str]]
    """Password of every declared user."""

    def __init__(
        self,
        name: str,
        deployment: DeploymentPlan,
        access: AccessPlan,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Credentials"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.DECLARATIONS)
        current, following = access.internal_users
        own = {user: _generated(self, f"{name}-{user}") for user in (current, following)}
        given = {user.name: self._password(name, user) for user in access.users}
        self.passwords = Output.secret(Output.all(**given))
        self.secrets = Secrets(
            internal=_secret(scope, "internal", {"username": current, "password": own[current]}),
            declared=_secret(
                scope,
                "declared",
                {
                    "users": Output.all(own=Output.all(**own), given=self.passwords).apply(
                        lambda all_: users_file(access, all_["own"], all_["given"])
                    ),
                    "permissions": "".join(f"{line}\n" for line in access.permissions),
                },
            ),
        )
        self.register_outputs({})

    def _password(self, name: str, user: User) -> Input[str]:
        if user.password is None:
            return _generated(self, f"{name}-user-{user.name}", version=user.password_version)
        # One that is given as an output is known only now.
        what = f"access.users[{user.name!r}].password"
        return Output.from_input(user.password).apply(lambda given: checked_password(given, what))


def users_file(access: AccessPlan, own: dict[str, str], given: dict[str, str]) -> str:
    """Lines NAME TYPE STATUS PASSWORD of everyone, RocketMQ's own users among them."""
    lines = [f"{name} Super enable {password}" for name, password in own.items()]
    lines += [user.line(given[user.name]) for user in access.users]
    return "".join(f"{line}\n" for line in sorted(lines))


def _generated(parent: ComponentResource, name: str, *, version: int = 1) -> Output[str]:
    made = random.RandomPassword(
        name,
        length=_LETTERS,
        special=False,
        keepers={"version": str(version)},
        opts=child_options(parent),
    )
    return Output.secret(made.result)


def _secret(scope: workload_objects.WorkloadScope, kind: str, data: dict[str, Input[str]]) -> Output[str]:
    """An immutable Secret; the result is its name.

    The hash in the name tells nothing: a generated password of 190 bits is always in what is hashed.
    """
    files = cast("Output[dict[str, str]]", Output.all(**data))
    suffix = Output.unsecret(files.apply(workload_objects.content_hash))
    made = k8s.core.v1.Secret(
        f"{scope.name}-{kind}",
        metadata=scope.metadata(Output.concat(f"{labels.APP}-{kind}-", suffix)),
        string_data=files,
        immutable=True,
        opts=child_options(scope.parent),
    )
    return made.metadata.apply(lambda metadata: str(metadata.name))
