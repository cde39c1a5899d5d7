"""Facts of the original case: two mistakes of an account whose claims stayed Pending, one behind the other.

`python -m tests.unit.doctor.original_case` writes them as the dumps `incident-no-provider` and `incident-wrong-trust`.
They are synthetic: built from `healthy_cases`, not read from a cluster. The messages of the events are those of STS.
"""

from dataclasses import replace
from pathlib import Path

from eks_rocketmq.doctor.facts.cluster_facts import Facts, OidcProviderFacts
from eks_rocketmq.doctor.facts.fact_files import write_facts
from tests.unit.doctor.fault_facts import DENIED, NO_PROVIDER
from tests.unit.doctor.healthy_cases import (
    AUDIENCE,
    HOST,
    PROVIDER,
    SUBJECT,
    driver_role,
    irsa_facts,
    trust_policy,
    with_pending_claims,
)

DUMPS = Path(__file__).with_name("dumps")
ORIGINAL_ROLE = driver_role(trust_policy=trust_policy({"StringEquals": {f"https://{HOST}:sub": SUBJECT}}))
"""Role whose condition key begins with `https://`, and which has no condition on the audience."""


def original_facts() -> Facts:
    """Return the facts of the case as it was found: no OIDC provider, and the wrong trust policy behind it."""
    return with_pending_claims(irsa_facts(providers=(), roles=(ORIGINAL_ROLE,)), NO_PROVIDER)


def facts_with_provider() -> Facts:
    """Return the facts after the first command was run: the provider exists, the trust policy is still wrong."""
    facts = with_pending_claims(irsa_facts(roles=(ORIGINAL_ROLE,)), DENIED)
    return replace(facts, providers=(OidcProviderFacts(PROVIDER, (AUDIENCE,)),))


SYNTHETIC_DUMPS = {"incident-no-provider": original_facts, "incident-wrong-trust": facts_with_provider}


if __name__ == "__main__":
    for name, build in SYNTHETIC_DUMPS.items():
        write_facts(build(), DUMPS / name)
