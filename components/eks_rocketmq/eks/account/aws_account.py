"""Partition, region and account in which a component's AWS provider works."""

import pulumi_aws as aws
from pulumi import ComponentResource, InvokeOutputOptions, Output

from eks_rocketmq.eks.account.aws_calls import call, checked_answer

_PARTITION = call("aws:index/getPartition:getPartition")
_REGION = call("aws:index/getRegion:getRegion")
_CALLER = call("aws:index/getCallerIdentity:getCallerIdentity")


def partition(component: ComponentResource) -> Output[str]:
    """Return the partition, such as `aws` or `aws-cn`."""
    found = aws.get_partition_output(opts=InvokeOutputOptions(parent=component))
    return checked_answer(found, _PARTITION, "partition", component=component).partition


def region(component: ComponentResource) -> Output[str]:
    """Return the region, such as `eu-west-1`."""
    found = aws.get_region_output(opts=InvokeOutputOptions(parent=component))
    return checked_answer(found, _REGION, "region", component=component).region


def caller_arn(component: ComponentResource) -> Output[str]:
    """Return the ARN of the caller, which contains partition and account."""
    return checked_answer(_caller(component), _CALLER, "arn", component=component).arn


def account_id(component: ComponentResource) -> Output[str]:
    """Return the number of the account."""
    return checked_answer(_caller(component), _CALLER, "account_id", component=component).account_id


def _caller(component: ComponentResource) -> Output[aws.GetCallerIdentityResult]:
    return aws.get_caller_identity_output(opts=InvokeOutputOptions(parent=component))
