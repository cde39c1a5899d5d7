"""Tags of EBS volumes. Read only."""

from collections.abc import Iterable

from eks_rocketmq.lookups.aws_resources import read_tags
from eks_rocketmq.lookups.aws_session import Session

_FILTER_VALUES = 200
"""Largest number of values of a filter of EC2."""


def read_volume_tags(session: Session, volume_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the tags of volumes by ID. Volumes that do not exist are left out.

    Raise ClientError if AWS rejects the request.
    """
    ids = sorted(set(volume_ids))
    # A filter accepts IDs of volumes that do not exist. The argument `VolumeIds` does not.
    pages = [
        page
        for start in range(0, len(ids), _FILTER_VALUES)
        for page in session.client("ec2")
        .get_paginator("describe_volumes")
        .paginate(Filters=[{"Name": "volume-id", "Values": ids[start : start + _FILTER_VALUES]}])
    ]
    return {volume["VolumeId"]: read_tags(volume.get("Tags", [])) for page in pages for volume in page["Volumes"]}
