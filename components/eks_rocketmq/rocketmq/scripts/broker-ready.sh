# Readiness: this broker has its role and the controllers count it in sync; a master also has the members that a write needs.
# Nothing is routed by it, RocketMQ's clients find brokers through the name servers. It is what the rolling restart and the
# disruption budget wait for, so a member that still catches up keeps the next one from being taken down.
# The timeouts are long because an answer takes seconds on an overloaded node.
set -u
. "$(dirname "$0")/broker-lib.sh"

status=$(ha_status 5) || { echo "broker does not answer on $BROKER"; exit 1; }
leader=$(controller_leader 3) || { echo "no controller knows a leader: $CONTROLLERS"; exit 1; }
state=$(group_state "$leader" 5) || { echo "controller leader $leader does not answer for group $GROUP"; exit 1; }

in_sync=$(members "$state" inSyncReplicas)
[[ " ${in_sync//$'\n'/ } " == *" $SELF "* ]] || { echo "$SELF is not in sync"; exit 1; }
if is_master "$status"; then
  count=$(wc -l <<<"$in_sync")
  ((count >= MIN_IN_SYNC)) || { echo "master with $count in sync, a write needs $MIN_IN_SYNC"; exit 1; }
fi
