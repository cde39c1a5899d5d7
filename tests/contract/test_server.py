"""The server itself: pinned, shut where the emulator is open, and with a state that survives a crash."""

import json
import types
from pathlib import Path

import pytest
import requests

from sandbox import layout
from sandbox.aws import patching
from tests.contract.errors import refused
from tests.contract.server import ROLE, SUBJECT, Server, free_port, issuer_key

RIGHT = {"Url": layout.ISSUER, "ClientIDList": ["sts.amazonaws.com"]}


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching.metadata, "version", lambda _: "0.0.0")
    with pytest.raises(patching.OverlayError, match=r"ministack 0\.0\.0 is installed, the overlay was written for"):
        patching.require_version()


def test_the_guard_names_what_changed() -> None:
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
def test_the_emulators_own_verbs_are_shut(aws: Server, path: str) -> None:
    assert requests.post(f"{aws.endpoint}/_ministack/{path}", timeout=5).status_code == 403


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic dGVzdDp0ZXN0", "AWS4-HMAC-SHA256 x"])
def test_no_other_authorization_is_accepted(aws: Server, authorization: str) -> None:
    form = {"Action": "ListRoles", "Version": "2010-05-08"}
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.post(aws.endpoint, data=form, headers=headers, timeout=5)
    assert answer.status_code in (400, 403)
    assert ROLE not in answer.text


def test_a_service_that_is_not_offered_says_so(aws: Server) -> None:
    with pytest.raises(Exception, match="400"):
        aws.client("dynamodb").list_tables()


def test_a_crash_loses_nothing_and_the_seed_repairs_nothing_by_accident(python: Path, tmp_path: Path) -> None:
    server = Server(tmp_path, free_port(), python, issuer_key(tmp_path))
    server.start()
    try:
        server.seed()
        _cure(server)
        credentials = server.assume()["Credentials"]
        volume = server.client("ec2").create_volume(AvailabilityZone=layout.NODES[0].zone, Size=1)["VolumeId"]
        server.kill()
        server.start()
        server.seed()
        assert server.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 1
        # The cured trust policy stays, the session is known, and no second cluster, node or key was made.
        server.assume()
        server.client("sts", credentials).get_caller_identity()
        assert server.client("eks").list_clusters()["clusters"] == [layout.CLUSTER]
        # The emulator would give it an address of its own after a restart.
        cluster = server.client("eks").describe_cluster(name=layout.CLUSTER)["cluster"]
        assert cluster["endpoint"] == f"https://{layout.CONTROL_ADDRESS}:{layout.API_PORT}"
        assert len(server.client("ec2").describe_instances()["Reservations"]) == len(layout.NODES)
        assert len(server.client("iam").list_access_keys(UserName="deployer")["AccessKeyMetadata"]) == 1
        with refused("ResourceInUseException", "Addon already exists."):
            server.client("eks").create_addon(clusterName=layout.CLUSTER, addonName="aws-ebs-csi-driver")
    finally:
        server.kill()


def _cure(server: Server) -> None:
    iam = server.client("iam")
    provider = iam.create_open_id_connect_provider(**RIGHT)["OpenIDConnectProviderArn"]
    # The original mistake: a provider alone heals nothing.
    with refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        server.assume()
    host = layout.ISSUER.removeprefix("https://")
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": SUBJECT, f"{host}:aud": "sts.amazonaws.com"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)
