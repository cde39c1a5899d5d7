"""Component with the passwords of access control and their Secrets."""

from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
import pulumi_random as random
from pulumi import Alias, ComponentResource, Input, Output, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import apply_redacted, child_options, combine_outputs, type_token
from eks_rocketmq.rocketmq.access.access import AccessPlan, User, validate_password
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.pods import workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan

_PASSWORD_LENGTH = 32  # of 62: 190 bits


@dataclass(frozen=True)
class Secrets:
    """Names of the Secrets. A name changes with the content."""

    internal: Input[str]
    """Secret with `username` and `password` of the internal user."""
    declared: Input[str]
    """Secret with the `users` and `permissions` that every broker must have."""


class Credentials(ComponentResource):
    """Generated passwords and Secrets. The names of the Secrets contain a hash of the content, so that pods restart."""

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
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.DECLARATIONS)
        current, next_user = access.internal_users
        internal = {user: _generate_password(self, f"{name}-{user}") for user in (current, next_user)}
        declared = {user.name: self._resolve_password(name, user) for user in access.users}
        self.passwords = Output.secret(combine_outputs(declared))
        users = Output.all(internal=combine_outputs(internal), declared=self.passwords).apply(
            lambda passwords: render_users(access, passwords["internal"], passwords["declared"])
        )
        self.secrets = Secrets(
            internal=_create_secret(
                scope,
                "internal",
                {"username": current, "password": internal[current]},
                # Each generation is a resource of its own, as in `create_config_map`.
                f"{name}-{current}",
                aliases=[Alias(name=f"{name}-internal")],
            ),
            declared=_create_secret(
                scope,
                "declared",
                {"users": users, "permissions": "".join(f"{line}\n" for line in access.permissions)},
                f"{name}-declared",
                # Only the declarations pod reads it. If that pod restarts during an update, it waits for its end.
                delete_before_replace=True,
            ),
        )
        self.register_outputs({})

    def _resolve_password(self, name: str, user: User) -> Input[str]:
        if user.password is None:
            return _generate_password(self, f"{name}-user-{user.name}", version=user.password_version)
        # A password that is an output is known only now.
        path = user.path / "password"
        password = Output.from_input(user.password)
        return apply_redacted(
            password, lambda given: validate_password(given, path), path, Any, errors_show_value=False
        )


def render_users(access: AccessPlan, internal: dict[str, str], declared: dict[str, str]) -> str:
    """Render the lines NAME TYPE STATUS PASSWORD of all users.

    `internal` and `declared` are the passwords of the internal and of the declared users, by name.
    """
    lines = [f"{name} Super enable {password}" for name, password in internal.items()]
    lines += [user.format_line(declared[user.name]) for user in access.users]
    return "".join(f"{line}\n" for line in sorted(lines))


def _generate_password(parent: ComponentResource, name: str, *, version: int = 1) -> Output[str]:
    created = random.RandomPassword(
        name,
        length=_PASSWORD_LENGTH,
        special=False,
        keepers={"version": str(version)},
        opts=child_options(parent),
    )
    return Output.secret(created.result)


def _create_secret(
    scope: workload_resources.WorkloadScope,
    kind: str,
    data: dict[str, Input[str]],
    pulumi_name: str,
    **options: Any,  # noqa: ANN401 - options of different types
) -> Output[str]:
    """Create an immutable Secret and return its name, which ends with a hash of its content.

    The hash reveals nothing, because the hashed content always includes a generated password of 190 bits.
    """
    files = combine_outputs(data)
    suffix = Output.unsecret(files.apply(workload_resources.hash_content))
    created = k8s.core.v1.Secret(
        pulumi_name,
        metadata=scope.build_metadata(Output.concat(f"{labels.APP}-{kind}-", suffix)),
        string_data=files,
        immutable=True,
        opts=child_options(scope.parent, **options),
    )
    return workload_resources.get_name(created)
