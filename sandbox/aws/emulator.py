"""The emulator's modules for the overlay, and the types that they exchange.

They are installed in the emulator's own environment only, so the type checker does not find them.
"""

# ruff: noqa: F401 (re-exported)
from ministack import app
from ministack.core import iam_actions, iam_evaluator, persistence, responses
from ministack.services import cloudwatch_logs, ec2, eks, iam, kms, organizations, s3, sts

Response = tuple[int, dict[str, str], bytes]
"""HTTP status, headers, body."""

Parameters = dict[str, list[str]]
"""A query-protocol request: every value is a list."""
