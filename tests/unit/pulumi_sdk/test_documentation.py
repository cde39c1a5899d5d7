"""`help()` of components lists their inputs and outputs."""

import inspect
import pydoc

import pytest
from pulumi import ComponentResource

from eks_rocketmq.plugin.component_provider import get_provider, list_components

COMPONENTS = list_components()


def render_help(component: type[ComponentResource]) -> str:
    return pydoc.plain(pydoc.render_doc(component))


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_help_shows_the_description_of_every_input_and_output(component: type[ComponentResource]) -> None:
    text = " ".join(render_help(component).replace(" |", "").split())
    known = get_provider()
    definition = known._component_defs[component.__name__]
    described = {
        **{definition.inputs_mapping[name]: field.description for name, field in definition.inputs.items()},
        **{definition.outputs_mapping[name]: field.description for name, field in definition.outputs.items()},
        **known.python_only[component.__name__],
    }
    assert described
    for name, description in described.items():
        assert f" {name}: " in text
        assert " ".join(str(description).split()) in text


def test_without_sources_help_shows_the_docstring_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sources(shape: type) -> str:
        raise OSError(shape)

    monkeypatch.setattr(inspect, "getsource", no_sources)
    text = COMPONENTS[0].__doc__
    assert text is not None
    assert "Inputs" not in text
    assert text.strip()


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_a_component_that_checks_outputs_documents_the_run_error(component: type[ComponentResource]) -> None:
    # Errors of an output are RunErrors, which `except ValueError` does not catch.
    source = inspect.getsource(inspect.getmodule(component) or component)
    if any(f"{name}(" in source for name in ("apply_redacted", "validate_input", "use_prefix", "invoke_function")):
        text = (component.__doc__ or "").split("Inputs")[0]
        assert "RunError" in text
