"""Stand-in for the released `kubernetes` provider plugin, for the kinds that the stack uses.

It is as helpful as the released one and no more: what that one accepts silently, fails on late or never names, this one
does too. Where it differs: it has no package schema, and waits for any kind on demand (`PULUMI_K8S_AWAIT_ALL`), Helm,
YAML and Kustomize resources, rendering to a directory and client-side apply are refused or not there.
"""
