"""Settings of a Kubernetes provider that a hook needs to ask its cluster."""

from collections.abc import Mapping

from pulumi import Input, Output, ProviderResource

POD_TYPE = "kubernetes:core/v1:Pod"
"""Type token by which a component finds its Kubernetes provider."""


async def resolve_provider(provider: ProviderResource | None) -> Mapping[str, str] | None:
    """Return kubeconfig and context of a provider, or None if unknown, so that no other cluster is queried.

    A provider with a context and without a kubeconfig uses that of kubectl. A preview cannot distinguish it from one
    whose kubeconfig is not known yet.
    """
    outputs = {key: Output.from_input(getattr(provider, key, None)) for key in ("kubeconfig", "context", "cluster")}
    settings = {key: value for key, output in outputs.items() if (value := await output.future())}
    if "kubeconfig" in settings:
        return settings
    has_context = "context" in settings and "cluster" not in settings
    return settings if has_context and await outputs["kubeconfig"].is_known() else None


async def resolve_kubeconfig(kubeconfig: Input[str]) -> Mapping[str, str] | None:
    """Return the settings of a provider with this kubeconfig, or None if it is not known yet."""
    output: Output[str] = Output.from_input(kubeconfig)
    known = await output.future()
    return {"kubeconfig": known} if known else None
