"""Diagnosis of claims that stay Pending: facts of the cluster and the account, checks, and a report. Read only."""
