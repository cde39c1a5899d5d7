"""What every component shares: its type token and the options of its children."""

from typing import Any

from pulumi import ComponentResource, ResourceOptions

PACKAGE = "eks-rocketmq"


def type_token(component: str) -> str:
    """The Pulumi type of a component class, such as `eks-rocketmq:index:IrsaRole`."""
    return f"{PACKAGE}:index:{component}"


def child_options(parent: ComponentResource, **extra: Any) -> ResourceOptions:  # noqa: ANN401 - the options' own types
    """Options of a child: its parent and what is named here, nothing of what the caller gave to the component.

    Providers, `protect` and transforms flow from parent to child by themselves. Merging the caller's options as well
    would give the child the caller's parent and aliases.
    """
    return ResourceOptions(parent=parent, **extra)
