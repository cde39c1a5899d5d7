"""What every component shares: its type token, the options of its children and the words of its warnings."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pulumi import ComponentResource, ResourceOptions, log

PACKAGE = "eks-rocketmq"
_words: ContextVar[Callable[[str], str]] = ContextVar("words", default=str)


def type_token(component: str) -> str:
    """The Pulumi type of a component class, such as `eks-rocketmq:index:IrsaRole`."""
    return f"{PACKAGE}:index:{component}"


def child_options(parent: ComponentResource, **extra: Any) -> ResourceOptions:  # noqa: ANN401 - the options' own types
    """Options of a child: its parent and what is named here, nothing of what the caller gave to the component.

    Providers, `protect` and transforms flow from parent to child by themselves. Merging the caller's options as well
    would give the child the caller's parent and aliases.
    """
    return ResourceOptions(parent=parent, **extra)


def warn(text: str, component: ComponentResource) -> None:
    """Says of a component's arguments what had better be changed, in the words that the program speaks."""
    log.warn(_words.get()(text), component)


def speak(words: Callable[[str], str]) -> None:
    """From now on warnings of this run are said in other words than Python's.

    Args:
        words: gives the words for a text that calls arguments as Python does.
    """
    _words.set(words)
