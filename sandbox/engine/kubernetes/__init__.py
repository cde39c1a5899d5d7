"""Stand-in of the `kubernetes` provider, for the kinds that the stack uses.

It accepts, rejects and reports the same as the released provider. It has no package schema, and it does not serve:
waiting for any kind (`PULUMI_K8S_AWAIT_ALL`), Helm, YAML and Kustomize resources, rendering to a directory, and
client-side apply.
"""
