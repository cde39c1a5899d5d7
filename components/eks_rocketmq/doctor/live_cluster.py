"""Facts of a live cluster, from the settings of its kubeconfig."""

from collections.abc import Mapping
from typing import Any

from eks_rocketmq.doctor.diagnosis import DiagnosisTarget
from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.lookups.kubeconfig_files import EksContext


class AwsSessionError(Exception):
    """Profile or region of the AWS CLI that cannot be used."""


def read_live_facts(
    context: EksContext, provider: Mapping[str, str], target: DiagnosisTarget | None = None, *, offline: bool = False
) -> Facts:
    """Return the facts of a cluster. AWS is not asked if the name or the region of the cluster is unknown.

    Raise AwsSessionError if profile or region cannot be used.

    Args:
        provider: `kubeconfig` and `context`, as for `get_json`.
        target: what is judged; default: the whole cluster.
        offline: whether the trial is left out. Without it only reading requests are sent.
    """
    # These take a second to load. A dump and a preview need none of them.
    from eks_rocketmq.doctor.collectors.cluster_reader import ClusterReader  # noqa: PLC0415
    from eks_rocketmq.doctor.collectors.collect import CollectionScope, collect_facts  # noqa: PLC0415

    target = target or DiagnosisTarget()
    scope = CollectionScope(
        context.cluster, target.claim, target.service_account, offline, context.account, context.endpoint
    )
    return collect_facts(_create_aws_reader(context), ClusterReader(provider), scope)


def _create_aws_reader(context: EksContext) -> Any:  # noqa: ANN401 - its module loads botocore
    if not context.cluster:
        return None
    session = create_boto_session(context.profile, context.region)
    if not session.region_name:
        return None
    from eks_rocketmq.doctor.collectors.aws_reader import AwsReader  # noqa: PLC0415

    return AwsReader(session, session.region_name)


def create_boto_session(profile: str, region: str) -> Any:  # noqa: ANN401 - boto3 has no types
    """Return the session with a profile and a region. Empty values are those of the environment.

    Raise AwsSessionError if one of them cannot be used.
    """
    import boto3  # noqa: PLC0415 - takes half a second to load
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        return boto3.Session(profile_name=profile or None, region_name=region or None)
    except BotoCoreError as error:
        msg = f"AWS cannot be asked: {error}. Check --profile and --region."
        raise AwsSessionError(msg) from error
