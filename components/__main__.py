"""The plugin that `pulumi package add …/components` runs."""

from eks_rocketmq.package import serve

if __name__ == "__main__":
    serve()
