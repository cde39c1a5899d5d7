# Liveness: the broker answers. A hung master keeps its connections open and blocks every write until it is killed.
# Kubernetes asks this only after the startup probe, hence never while the store recovers.
set -u
. "$(dirname "$0")/broker-lib.sh"

ha_status 2 >/dev/null || { echo "broker does not answer on $BROKER"; exit 1; }
