"""Conversion of values between engine, program and API server."""

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from sandbox.engine.kubernetes import kinds, quantity
from sandbox.engine.kubernetes.normalize import input_properties, normalized
from sandbox.engine.kubernetes.state import Checkpoint, checkpoint, mark_secrets, outputs_of, prune
from sandbox.engine.provider.failures import UnsupportedTypeError
from sandbox.engine.provider.property_path import contains, parse, text
from sandbox.engine.provider.values import UNKNOWN, Secret, decode, encode, has_unknown, plain

STATEFUL_SET = kinds.of("kubernetes:apps/v1:StatefulSet")
SECRET = kinds.of("kubernetes:core/v1:Secret")
CONFIG_MAP = kinds.of("kubernetes:core/v1:ConfigMap")


def test_values_are_unchanged_by_encoding_and_decoding() -> None:
    properties = {
        "whole": 3,
        "broken": 1.5,
        "flag": True,
        "none": None,
        "list": [1, "a", {"b": Secret("s")}],
        "later": UNKNOWN,
    }
    assert decode(encode(properties)) == properties


def test_whole_floats_are_decoded_as_integers() -> None:
    struct = struct_pb2.Struct()
    struct["replicas"] = 2.0
    assert repr(decode(struct)["replicas"]) == "2"


def test_secret_output_value_is_decoded_as_a_secret() -> None:
    struct = struct_pb2.Struct()
    struct["p"] = {rpc._special_sig_key: rpc._special_output_value_sig, "value": "x", "secret": True}
    assert decode(struct) == {"p": Secret("x")}


def test_asset_is_rejected_by_name() -> None:
    struct = struct_pb2.Struct()
    struct["p"] = {rpc._special_sig_key: rpc._special_asset_sig, "text": "x"}
    with pytest.raises(TypeError, match="an asset was given"):
        decode(struct)


def test_value_of_an_unsupported_type_is_rejected() -> None:
    with pytest.raises(TypeError, match="set is no property value"):
        encode({"p": {1, 2}})


def test_unknown_value_inside_a_secret_is_detected() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not has_unknown({"a": [Secret({"b": 1})]})
    assert plain({"a": [Secret({"b": 1})]}) == {"a": [{"b": 1}]}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0.5", "500m"),
        ("2000m", "2"),
        ("1500m", "1500m"),
        (2, "2"),
        (0.1, "100m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("100Gi", "100Gi"),
        ("512", "512"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("-1024Ki", "-1Mi"),
        ("100 GB", "100 GB"),
        (True, True),
    ],
)
def test_quantity_is_converted_to_its_stored_form(given: object, stored: object) -> None:
    assert quantity.canonical(given) == stored


@pytest.mark.parametrize("path", ["spec.ports[0].port", 'data["a.b"]', 'metadata.annotations["x/y.z"][3]', "a"])
def test_property_path_is_unchanged_by_parsing_and_formatting(path: str) -> None:
    assert text(parse(path)) == path


def test_property_path_contains_its_descendants() -> None:
    assert contains(parse("spec.ports[*].port"), parse("spec.ports[2].port"))
    assert not contains(parse("spec.selector"), parse("spec"))
    assert not contains(parse("spec.ports[1]"), parse("spec.ports[2]"))


def test_malformed_property_path_is_rejected() -> None:
    with pytest.raises(ValueError, match="no property path"):
        parse("spec[")


def test_custom_resource_keeps_fields_that_only_its_crd_defines() -> None:
    kind = kinds.of("kubernetes:monitoring.coreos.com/v1:PrometheusRule")
    assert kind.path("ns", "alerts") == "/apis/monitoring.coreos.com/v1/namespaces/ns/prometheusrules/alerts"
    inputs = {"metadata": {"name": "alerts", "uid": "u"}, "spec": {"anything": [{"limits": {"cpu": "0.5"}}]}}
    assert normalized(kind, inputs) == {"metadata": {"name": "alerts"}, "spec": inputs["spec"]}
    assert input_properties(kind) == []  # the schema of the package does not define the kind


def test_misspelt_keys_of_built_in_kinds_are_dropped_silently() -> None:
    container = {"name": "c", "imagePulPolicy": "Never", "resources": {"limits": {"cpu": "0.5"}}}
    inputs = {"spec": {"template": {"spec": {"containers": [container], "nodeSelector": {"any/key": "v"}}}}}
    pod = normalized(STATEFUL_SET, inputs)["spec"]["template"]["spec"]
    assert pod == {
        "containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}],
        "nodeSelector": {"any/key": "v"},
    }


def test_misspelt_keys_are_kept_while_a_value_is_unknown() -> None:
    inputs = {"metadata": {"name": UNKNOWN, "uid": "u"}, "spec": {"replica": 1}}
    assert normalized(STATEFUL_SET, inputs) == {"metadata": {"name": UNKNOWN}, "spec": {"replica": 1}}


def test_string_data_of_a_secret_is_converted_to_base64_data() -> None:
    inputs = {"stringData": {"p": "hunter2"}, "data": {"q": "YQ=="}}
    assert normalized(SECRET, inputs) == {"data": {"q": "YQ==", "p": "aHVudGVyMg=="}}


def test_status_is_not_an_input_property() -> None:
    assert input_properties(STATEFUL_SET) == ["apiVersion", "kind", "metadata", "spec"]


def test_unsupported_kind_is_rejected_by_name() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"unsupported resource type kubernetes:core/v1:Pod: .*StatefulSet"):
        kinds.of("kubernetes:core/v1:Pod")


def test_patch_resource_maps_to_the_patched_kind() -> None:
    assert kinds.of("kubernetes:storage.k8s.io/v1:StorageClassPatch").name == "StorageClass"
    assert kinds.is_patch("kubernetes:storage.k8s.io/v1:StorageClassPatch")
    assert not kinds.is_patch("kubernetes:storage.k8s.io/v1:StorageClass")


def test_checkpoint_is_unchanged_by_conversion_to_outputs_and_back() -> None:
    stored_checkpoint = Checkpoint(
        {"data": {"a": "1"}}, {"data": {"a": "1"}, "metadata": {"uid": "u"}}, "v1", "manager"
    )
    outputs = outputs_of(stored_checkpoint, CONFIG_MAP, {"data": Secret({"a": "1"})})
    assert outputs["data"] == Secret({"a": "1"})
    assert outputs["__inputs"] == {"data": Secret({"a": "1"})}
    assert checkpoint(outputs) == stored_checkpoint


def test_data_of_a_secret_is_always_marked_secret() -> None:
    stored_checkpoint = Checkpoint({"data": {"p": "YQ=="}}, {"data": {"p": "YQ=="}}, "v1", "manager")
    outputs = outputs_of(stored_checkpoint, SECRET, {})
    assert outputs["data"] == Secret({"p": "YQ=="})
    assert outputs["__inputs"]["data"] == Secret({"p": "YQ=="})


def test_list_with_one_secret_is_marked_secret_as_a_whole() -> None:
    env = [{"name": "A", "value": "x"}, {"name": "B", "value": Secret("y")}]
    assert mark_secrets({"env": plain(env), "other": 1}, {"env": env}) == {"env": Secret(plain(env)), "other": 1}


def test_prune_keeps_only_the_fields_of_the_shape() -> None:
    live = {"a": 1, "b": {"c": 2, "d": 3}, "l": [{"x": 1, "default": 2}, {"x": 3}], "status": {}}
    shape = {"a": 9, "b": {"c": 9}, "l": [{"x": 9}]}
    assert prune(live, shape) == {"a": 1, "b": {"c": 2}, "l": [{"x": 1}]}
