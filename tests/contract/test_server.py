"""The AWS server: pinned version, closed admin endpoints, and state that survives a crash."""

import types
from pathlib import Path

import pytest
import requests

from sandbox import layout
from sandbox.aws import patching
from tests.contract.errors import refused
from tests.contract.server import ROLE, Server, cure, seeded


def test_unpinned_emulator_version_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching.metadata, "version", lambda _: "0.0.0")
    with pytest.raises(patching.OverlayError, match=r"ministack 0\.0\.0 is installed, the overlay was written for"):
        patching.require_version()


def test_overlay_error_names_the_changed_function() -> None:
    module = types.ModuleType("emulated")
    module.__dict__.update(verbs={"A": print}, handle=lambda method, path: (method, path))
    with pytest.raises(patching.OverlayError, match=r"emulated\.gone is gone"):
        patching.replace(module, "gone", lambda: None)
    with pytest.raises(patching.OverlayError, match=r"takes \['method', 'path'\]"):
        patching.replace(module, "handle", lambda method: method)
    with pytest.raises(patching.OverlayError, match="has no _store"):
        patching.require(module, "verbs", "_store")
    with pytest.raises(patching.OverlayError, match="does not answer B"):
        patching.replace_verb(module.verbs, "B", print)
    with pytest.raises(patching.OverlayError, match="now answers A itself"):
        patching.add_verb(module.verbs, "A", print)


@pytest.mark.parametrize("path", ["reset", "config", "state"])
def test_emulator_admin_endpoints_are_forbidden(aws: Server, path: str) -> None:
    assert requests.post(f"{aws.endpoint}/_ministack/{path}", timeout=5).status_code == 403


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic dGVzdDp0ZXN0", "AWS4-HMAC-SHA256 x"])
def test_invalid_authorization_is_rejected(aws: Server, authorization: str) -> None:
    form = {"Action": "ListRoles", "Version": "2010-05-08"}
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.post(aws.endpoint, data=form, headers=headers, timeout=5)
    assert answer.status_code in (400, 403)
    assert ROLE not in answer.text


def test_unsupported_service_returns_http_400(aws: Server) -> None:
    with pytest.raises(Exception, match="400"):
        aws.client("dynamodb").list_tables()


def test_state_survives_a_crash_and_a_second_seed(python: Path, tmp_path: Path) -> None:
    with seeded(tmp_path, python) as server:
        provider = {"Url": layout.ISSUER, "ClientIDList": ["sts.amazonaws.com"]}
        server.client("iam").create_open_id_connect_provider(**provider)
        # The trust policy of the original case is wrong too, so the provider alone is not sufficient.
        with refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"):
            server.assume()
        cure(server)
        credentials = server.assume()["Credentials"]
        volume = server.client("ec2").create_volume(AvailabilityZone=layout.NODES[0].zone, Size=1)["VolumeId"]
        policy = {"Name": "empty", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": "{}"}
        server.client("organizations").create_policy(**policy)
        server.kill()
        server.start()
        server.seed()
        policies = server.client("organizations").list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        assert [each["Name"] for each in policies] == ["FullAWSAccess", "empty"]
        assert server.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 1
        # The trust policy stays corrected, the session is valid, and no second cluster, node or key was created.
        server.assume()
        server.client("sts", credentials).get_caller_identity()
        assert server.client("eks").list_clusters()["clusters"] == [layout.CLUSTER]
        # Without the overlay, the emulator assigns another endpoint after a restart.
        cluster = server.client("eks").describe_cluster(name=layout.CLUSTER)["cluster"]
        assert cluster["endpoint"] == f"https://{layout.CONTROL_ADDRESS}:{layout.API_PORT}"
        assert len(server.client("ec2").describe_instances()["Reservations"]) == len(layout.NODES)
        assert len(server.client("iam").list_access_keys(UserName="deployer")["AccessKeyMetadata"]) == 1
        with refused("ResourceInUseException", "Addon already exists."):
            server.client("eks").create_addon(clusterName=layout.CLUSTER, addonName="aws-ebs-csi-driver")
