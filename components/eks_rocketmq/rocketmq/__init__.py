"""From a StorageClass to a message that is safe. Knows nothing of AWS; runs on any Kubernetes."""
