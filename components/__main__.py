"""The plugin that `pulumi package add …/components` runs."""

from eks_rocketmq.plugin.component_provider import serve

if __name__ == "__main__":
    serve()
