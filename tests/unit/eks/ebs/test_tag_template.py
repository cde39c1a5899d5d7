"""Templates in the tags of a StorageClass."""

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.eks.ebs.tag_template import validate_tag_template
from tests.unit.harness.rejections import list_rejections


@pytest.mark.parametrize(
    "value",
    [
        "shop",
        "a }} b",
        "{ .Foo }",
        "{{ .PVCName }}-{{ .PVName }}",
        "{{.PVCNamespace}}",
        "{{- .PVCNamespace -}}",
        "{{ $.PVCName }}",
        '{{ .PVCNamespace | contains "prod" }}',
        '{{ .PVCNamespace | field "-" 2 | toUpper }}',
        '{{ field "}}" 0 .PVCName }}',
        "{{ toLower (substring 0 -1 .PVCName) }}",
        '{{ printf "%s/%s" .PVCNamespace .PVCName }}',
        '{{ if contains "prod" .PVCNamespace }}yes{{ else if eq .PVCName "a" }}maybe{{ else }}no{{ end }}',
        "{{ with .PVCName }}{{ . }}{{ end }}",
        "{{ $name := .PVCName }}{{ $name | toUpper }}",
        "{{/* a comment */}}{{ .PVCName }}",
    ],
)
def test_templates_that_the_driver_evaluates_are_accepted(value: str) -> None:
    validate_tag_template(value, ARGS / "tags")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{{ .Foo }}", "there is no variable .Foo"),
        ("{{ .pvcName }}", "there is no variable .pvcName"),
        ("{{ .PVCName.Length }}", "there is no variable .PVCName.Length"),
        ("{{ $.Foo }}", "there is no variable .Foo"),
        ("{{ PVCName }}", "there is no function PVCName"),
        ("{{ .PVCName | upper }}", "there is no function upper"),
        ("{{ js .PVCName }}", "there is no function js"),
        ("{{ .PVCName | html }}", "there is no function html"),
        ("{{ }}", "a pair of braces is empty"),
        ("{{ .PVCName", "'{{' has no end"),
        ("{{ .PVCName }", "'{{' has no end"),
        ("{{ .PVCName }}-{{", "'{{' has no end"),
        ("{{ ${TEAM} }}", "'${TEAM}' is no expression"),
        ("{{ .PVCName | field 2 }}", "field takes 3 values, and 2 are given"),
        ("{{ toUpper }}", "toUpper takes 1 values, and 0 are given"),
        ("{{ .PVCName | .PVName }}", ".PVName after '|' is no function"),
        ("{{ .PVCName | }}", "a value is missing"),
        ("{{ toUpper (.PVCName }}", "'(' has no ')'"),
        ("{{ .PVCName) }}", "')' has no '('"),
        ("{{ if .PVCName }}a", "a block has no 'end'"),
        ("{{ if }}a{{ end }}", "a value is missing"),
        ("{{ end }}", "'end' has no beginning"),
    ],
)
def test_templates_that_the_driver_cannot_evaluate_are_rejected(value: str, problem: str) -> None:
    with pytest.raises(ArgumentError) as error:
        validate_tag_template(value, ARGS / "tags")
    assert list_rejections(error.value) == [("tags", "tag-template")]
    assert f": {problem}. Accepted" in str(error.value)
