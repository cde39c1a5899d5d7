"""Configuration files and manifests of the cluster. `$name` is replaced by the value of `name`."""

from pathlib import Path
from string import Template


def render(template: str, /, **values: object) -> str:
    return Template(Path(__file__).with_name(template).read_text()).substitute(values)
