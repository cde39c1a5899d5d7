"""The incident: without an OIDC provider the driver gets no role, and the claims stay Pending."""

import re

from sandbox import incident
from sandbox.layout import ISSUER
from tests.e2e.running_sandbox import Sandbox


def test_claims_stay_pending_with_the_original_error_of_the_driver(sandbox: Sandbox) -> None:
    incident.apply(sandbox.instance, sandbox.tools)

    failure = incident.wait_for_failure(sandbox.instance, sandbox.tools)

    assert set(incident.claim_phases(sandbox.instance, sandbox.tools).values()) == {"Pending"}
    assert failure is not None
    message = failure.event
    assert re.fullmatch(
        r'failed to provision volume with StorageClass "gp2": rpc error: code = Internal desc = Could not create '
        r'volume "pvc-[0-9a-f-]{36}": could not create volume in EC2: operation error EC2: CreateVolume, get identity: '
        r"get credentials: failed to refresh cached credentials, failed to retrieve credentials, operation error STS: "
        r"AssumeRoleWithWebIdentity, exceeded maximum number of attempts, 3, https response error StatusCode: 400, "
        rf"RequestID: [0-9a-f-]+, InvalidIdentityToken: No OpenIDConnect provider found in your account for {ISSUER}",
        message,
    ), message


def test_doctor_names_both_mistakes_of_the_original_case(sandbox: Sandbox) -> None:
    assert sandbox.diagnose() == (1, ["oidc-provider-missing", "trust-condition-key"])


def test_driver_since_1_49_reports_the_cause_in_its_log(sandbox: Sandbox) -> None:
    incident.driver.use(sandbox.instance, sandbox.report, "1.50")
    incident.remove(sandbox.instance, sandbox.tools)
    incident.apply(sandbox.instance, sandbox.tools)

    failure = incident.wait_for_failure(sandbox.instance, sandbox.tools)

    assert failure is not None
    assert "ebs.csi.aws.com" in failure.event
    assert "OpenIDConnect" not in failure.event
    assert re.search(
        r"rpc error: code = FailedPrecondition desc = Failed health check \(verify network connection and IAM "
        r"credentials\): dry-run EC2 API call failed: operation error EC2: DescribeAvailabilityZones, get identity: "
        rf"get credentials: .* InvalidIdentityToken: No OpenIDConnect provider found in your account for {ISSUER}",
        failure.log,
    ), failure.log
    assert sandbox.diagnose() == (1, ["oidc-provider-missing", "trust-condition-key"])
    incident.driver.use(sandbox.instance, sandbox.report, "1.48")


def test_account_has_no_oidc_provider_and_no_volume(sandbox: Sandbox) -> None:
    with sandbox.aws("iam") as iam:
        assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert sandbox.driver_volumes() == []
