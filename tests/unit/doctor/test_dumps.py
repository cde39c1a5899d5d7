"""Dumps of the original case: each is diagnosed with its mistakes in order, with the setting and the command."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from eks_rocketmq.commands.doctor_command import app
from eks_rocketmq.doctor.facts.cluster_facts import Facts, RoleFacts
from eks_rocketmq.doctor.facts.fact_files import read_facts, write_facts
from tests.unit.doctor.healthy_cases import AUDIENCE, HOST, PROVIDER, SUBJECT
from tests.unit.doctor.original_case import DUMPS, SYNTHETIC_DUMPS
from tests.unit.harness.fakes import ISSUER

CREATE_PROVIDER = f"aws iam create-open-id-connect-provider --url {ISSUER} --client-id-list {AUDIENCE}"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{HOST}:aud": AUDIENCE, f"{HOST}:sub": SUBJECT}},
        }
    ],
}


def judge(folder: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code for a dump, and the findings in the order of the links."""
    result = CliRunner().invoke(app, ["--from", folder, "--json"])
    links = [link for chain in json.loads(result.output)["chains"] for link in chain["links"]]
    return result.exit_code, [link["finding"] for link in links if link["finding"]]


def check_trust(finding: dict[str, Any]) -> None:
    """Check the finding about the trust policy, with its command."""
    assert finding["id"] == "trust-condition-key"
    assert f"the key https://{HOST}:sub; no condition on {HOST}:aud" in finding["is"]
    assert finding["shouldBe"] == f"the key {HOST}:sub; {HOST}:aud = {AUDIENCE}"
    assert finding["settings"] == (
        "`eks-rocketmq adopt -s STACK`, then `pulumi up -s STACK`; the components write the key without `https://`"
    )
    (command,) = finding["commands"]
    *words, document = shlex.split(command)
    assert words == shlex.split("aws iam update-assume-role-policy --role-name eks-ebs-csi-driver --policy-document")
    assert json.loads(document) == TRUST


def test_the_dumps_of_the_original_case_show_both_mistakes_in_order(tmp_path: Any) -> None:
    code, (provider, trust) = judge(str(DUMPS / "incident-no-provider"))
    assert (code, provider["id"], provider["commands"]) == (1, "oidc-provider-missing", [CREATE_PROVIDER])
    assert provider["is"] == f"the account has no provider for {ISSUER}"
    assert provider["settings"] == (
        "`oidc: {}`, which registers the provider; then `eks-rocketmq adopt -s STACK` and `pulumi up -s STACK`"
    )
    check_trust(trust)

    # The first command was run.
    code, (trust,) = judge(str(DUMPS / "incident-wrong-trust"))
    assert code == 1
    check_trust(trust)

    # The second command was run too. The claims are Pending until the driver tries again.
    facts = read_facts(DUMPS / "incident-wrong-trust")
    (role,) = facts.roles
    assert isinstance(role, RoleFacts)
    write_facts(replace(facts, roles=(replace(role, trust_policy=json.dumps(TRUST)),)), tmp_path)
    assert judge(str(tmp_path)) == (2, [])


@pytest.mark.parametrize(("name", "build"), SYNTHETIC_DUMPS.items())
def test_the_synthetic_dumps_are_those_of_their_builder(name: str, build: Callable[[], Facts]) -> None:
    assert read_facts(DUMPS / name) == build()


def test_each_dump_has_its_origin_in_the_readme() -> None:
    text = (DUMPS / "README.md").read_text(encoding="utf-8")
    for folder in DUMPS.iterdir():
        assert folder.name == "README.md" or f"| `{folder.name}` |" in text
