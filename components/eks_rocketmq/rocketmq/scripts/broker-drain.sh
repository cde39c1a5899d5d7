# Before the broker stops: move the master role away without losing a message, and leave the group able to write.
#
# A bare stop of a master costs 15 to 32 s without writes, and an election under load has lost acknowledged messages.
# So: no new writes, wait until every slave in sync has all, elect one of them, permission back, wait until the others can
# take writes without this member. Each step has an end; what cannot be done is said and the stop goes on.
set -u
. "$(dirname "$0")/broker-lib.sh"

READ_ONLY=4 READ_WRITE=6
PAUSE=0.1
QUIET_POLLS=3 # equal offsets in a row: what was on its way when writes were refused has landed

# Both streams of a preStop hook are thrown away.
DRAIN_LOG=${DRAIN_LOG:-$(log_of_the_broker)}

say() {
  echo "drain $GROUP $SELF: $*" | tee -a "$DRAIN_LOG"
}

permission() {
  ask 2 "$BROKER" 25 '{}' "brokerPermission=$1" >/dev/null
}

# until SECONDS COMMAND…: repeats the command until it succeeds.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep "$PAUSE"
  done
}

# Every slave in sync has all that the master has, and the master's offset stands still.
last_offset='' quiet=0
replicated() {
  local status
  status=$(ha_status 2) || return 1
  [[ $status =~ \"masterCommitLogMaxOffset\":([0-9]+) ]] || return 1
  local offset=${BASH_REMATCH[1]}
  if [[ $offset == "$last_offset" ]] && ! [[ $status =~ \"diff\":-?[1-9][0-9]*[^}]*\"inSync\":true ]]; then
    quiet=$((quiet + 1))
  else
    quiet=0
  fi
  last_offset=$offset
  ((quiet >= QUIET_POLLS))
}

is_slave() {
  local status
  status=$(ha_status 2) && ! is_master "$status"
}

# others LIST: entries of the other members that are alive.
others() {
  local id address alive
  while read -r id address alive; do
    [[ -n $id && $address != "$SELF" && $alive == true ]] && echo "$id $address"
  done <<<"$1"
}

# The group can take writes without this member, or cannot reach that state at all.
writable_without_me() {
  local state synced waiting
  state=$(group_state "$leader") || return 1
  synced=$(others "$(members "$state" inSyncReplicas)" | wc -l)
  waiting=$(others "$(members "$state" notInSyncReplicas)" | wc -l)
  ((synced >= MIN_IN_SYNC)) && return 0
  if ((synced + waiting < MIN_IN_SYNC)); then
    say "only $((synced + waiting)) other members are alive, writes need $MIN_IN_SYNC"
    return 0
  fi
  return 1
}

switch_over() {
  local state target ids id address
  state=$(group_state "$leader") || { say "controller leader $leader does not answer, stopping as master"; return; }
  [[ $state =~ \"masterBrokerId\":([0-9]+) ]] || { say "the controllers know no master, stopping"; return; }
  ids=$(others "$(members "$state" inSyncReplicas)")
  [[ -n $ids ]] || { say "no other member is in sync, stopping as master"; return; }
  read -r id address <<<"$ids"

  permission "$READ_ONLY" || { say "could not refuse writes, stopping as master"; return; }
  if ! until_true "$DRAIN_REPLICATE_SECONDS" replicated; then
    say "the slaves did not catch up in $DRAIN_REPLICATE_SECONDS s, stopping as master without an election"
    return
  fi
  target="{\"clusterName\":\"$CLUSTER\",\"brokerName\":\"$GROUP\",\"brokerId\":\"$id\",\"designateElect\":\"true\""
  target+=",\"invokeTime\":\"$(date +%s%3N)\"}"
  ask 3 "$leader" 1002 "$target" >/dev/null || { say "election of $id ($address) was refused, stopping as master"; return; }
  until_true "$DRAIN_ELECT_SECONDS" is_slave || { say "still master $DRAIN_ELECT_SECONDS s after the election"; return; }
  permission "$READ_WRITE" || say "the permission to write could not be given back"
  say "master role moved to $id ($address)"
}

status=$(ha_status 2) || { say "broker does not answer, stopping"; exit 0; }
leader=$(controller_leader) || { say "no controller knows a leader, stopping"; exit 0; }
if is_master "$status"; then
  switch_over
fi
# A slave may keep its connection to the old master until that one is gone, and attaches to the new one within a second of it.
until_true "$DRAIN_REJOIN_SECONDS" writable_without_me || say "the others cannot take writes yet, stopping"
say "stopping"
exit 0
