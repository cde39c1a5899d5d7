"""IAM role of the EBS CSI driver."""

from collections.abc import Callable, Mapping

from pulumi import ResourceHookBinding, ResourceOptions

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.eks.iam.irsa_role import IrsaRole
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs
from eks_rocketmq.pulumi_sdk.component import spell_argument


class DriverRole(IrsaRole):
    """Role whose policies have hooks."""

    def __init__(
        self,
        name: str,
        args: IrsaRoleArgs,
        opts: ResourceOptions | None = None,
        *,
        policy_hooks: Mapping[str, Callable[[str], ResourceHookBinding | None]],
    ) -> None:
        """Create the role.

        `policy_hooks` has a function for the hooks of each policy by its key. The function takes the name of the
        policy's resource.
        """
        # The constructor of the base class creates the policies.
        self._policy_hooks = policy_hooks
        super().__init__(name, args, opts)

    def _create_policy_hooks(self, key: str, name: str) -> ResourceHookBinding | None:
        return self._policy_hooks[key](name) if key in self._policy_hooks else None

    def _describe_existing(self) -> str:
        return f"set {spell_argument(ARGS / 'existing')} to true"
