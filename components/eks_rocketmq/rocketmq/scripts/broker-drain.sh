# Before the broker stops: move the master role away without losing a message, and leave the group able to write.
#
# A bare stop of a master costs 15 to 32 s without writes, and an election under load has lost acknowledged messages.
# So: no new writes, wait until every slave in sync has all, elect one of them, permission back, wait until the others can
# take writes without this member. Each step has an end; what cannot be done is said and the stop goes on.
#
# In the environment with the agent: DRAIN_FENCE, a file. The agent refuses writes until the time of its last change, and tells
# the controllers until then that this broker must not be elected.
set -u
. "$(dirname "$0")/broker-lib.sh"

READ_ONLY=4 READ_WRITE=6
FENCE=${DRAIN_FENCE:-}
PAUSE=0.1
# Without the agent: equal offsets in a row. What was on its way when writes were refused has landed.
QUIET_POLLS=3
ANSWER_SECONDS=5

# Both streams of a preStop hook are thrown away.
DRAIN_LOG=${DRAIN_LOG:-$(log_of_the_broker)}

say() {
  echo "drain $GROUP $SELF: $*" | tee -a "$DRAIN_LOG"
}

permission() {
  ask 2 "$BROKER" 25 '{}' "brokerPermission=$1" >/dev/null
}

# With the agent the route stays as it is. The fence opens by itself if the drain is interrupted.
refuse_writes() {
  if [[ -n $FENCE ]]; then
    touch -d "+$((DRAIN_REPLICATE_SECONDS + 2 * DRAIN_ELECT_SECONDS + 5)) seconds" "$FENCE"
  else
    permission "$READ_ONLY"
  fi
}

accept_writes() {
  if [[ -n $FENCE ]]; then rm -f "$FENCE"; else permission "$READ_WRITE"; fi
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

# Every slave in sync has all messages of producers. With the agent these are the messages up to the offset at which writes were
# first refused: a later one waits for the slaves, or is refused. Behind it come the acknowledgements of consumers, which go on.
# Without the agent every slave has all that the master has, and the master's offset stands still.
needed='' last_offset='' quiet=0 status=''
replicated() {
  local rest
  status=$(ha_status 2) || return 1
  rest=$status
  [[ $status =~ \"masterCommitLogMaxOffset\":([0-9]+) ]] || return 1
  local offset=${BASH_REMATCH[1]}
  if [[ -n $FENCE ]]; then
    needed=${needed:-$offset}
    while [[ $rest =~ \"inSync\":true,\"slaveAckOffset\":(-?[0-9]+) ]]; do
      ((BASH_REMATCH[1] >= needed)) || return 1
      rest=${rest#*"${BASH_REMATCH[0]}"}
    done
    return 0
  fi
  if [[ $offset == "$last_offset" ]] && ! [[ $status =~ \"diff\":-?[1-9][0-9]*[^}]*\"inSync\":true ]]; then
    quiet=$((quiet + 1))
  else
    quiet=0
  fi
  last_offset=$offset
  ((quiet >= QUIET_POLLS))
}

# ask_controllers: sets `leader` and `state`. Asked again at every step, because the leader may stop too: in a node drain it can
# be on the same node.
asked=0
ask_controllers() {
  leader=$(controller_leader) || return 1
  state=$(group_state "$leader") || return 1
  asked=$SECONDS
}

# The controllers decide who is master. The broker itself says so too while it has no role yet, and after it was replaced.
am_master() {
  [[ $state =~ \"masterAddress\":\"([^\"]+)\" && ${BASH_REMATCH[1]} == "$SELF" ]]
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
  local synced waiting
  ask_controllers || return 1
  synced=$(others "$(members "$state" inSyncReplicas)" | wc -l)
  waiting=$(others "$(members "$state" notInSyncReplicas)" | wc -l)
  ((synced >= MIN_IN_SYNC)) && return 0
  if ((synced + waiting < MIN_IN_SYNC)); then
    say "only $((synced + waiting)) other members are alive, writes need $MIN_IN_SYNC"
    return 0
  fi
  return 1
}

# has_all STATUS HOST: the slave is connected to this broker and has all messages, as `replicated` says.
has_all() {
  [[ $1 =~ \"addr\":\"$2:[0-9]+\",\"diff\":(-?[0-9]+),\"inSync\":[a-z]+,\"slaveAckOffset\":(-?[0-9]+) ]] || return 1
  if [[ -n $needed ]]; then ((BASH_REMATCH[2] >= needed)); else ((BASH_REMATCH[1] == 0)); fi
}

# Asks for the election of another member that has all messages.
elected='' resumed=''
ask_for_election() {
  local id address target
  # Writes are refused meanwhile, so an answer of this second is used once more.
  ((SECONDS - asked <= 1)) || ask_controllers || return 1
  asked=-2 # ask again after a refusal
  am_master || return 0 # the answer to an earlier request was lost
  if [[ -n $resumed ]]; then
    refuse_writes
    needed='' resumed=''
    until_true 1 replicated
  fi
  [[ -n $status ]] || status=$(ha_status 2) || return 1
  while read -r id address; do
    has_all "$status" "${address%:*}" || continue
    target="{\"clusterName\":\"$CLUSTER\",\"brokerName\":\"$GROUP\",\"brokerId\":\"$id\",\"designateElect\":\"true\""
    target+=",\"invokeTime\":\"$(date +%s%3N)\"}"
    if ask 3 "$leader" 1002 "$target" >/dev/null; then
      elected="$id ($address)"
      return 0
    fi
    say "election of $id ($address) was refused"
  done < <(others "$(members "$state" inSyncReplicas)" | sort -n)
  return 1
}

# With the agent, writes are taken until the next attempt: the controllers refuse all elections for a second, or do not answer,
# when their leader stops too. After the election the fence keeps this broker from being elected again.
elect_another() {
  if ask_for_election; then
    [[ -z $FENCE ]] || refuse_writes
    return 0
  fi
  status=''
  [[ -z $FENCE ]] || { accept_writes && resumed=1; }
  return 1
}

move_role() {
  if ! until_true "$DRAIN_REPLICATE_SECONDS" replicated; then
    say "the slaves did not catch up in $DRAIN_REPLICATE_SECONDS s, stopping as master without an election"
  elif ! until_true "$DRAIN_ELECT_SECONDS" elect_another; then
    say "no other member was elected in $DRAIN_ELECT_SECONDS s, stopping as master"
  elif moved=1 && ! until_true "$DRAIN_ELECT_SECONDS" is_slave; then
    say "still master $DRAIN_ELECT_SECONDS s after the election"
  else
    say "master role moved to ${elected:-another member}"
  fi
}

# Another member is in sync, or none is alive that could get in sync.
has_successor() {
  ask_controllers && { [[ -n $(others "$(members "$state" inSyncReplicas)") ]] || [[ -z $(others "$(members "$state" notInSyncReplicas)") ]]; }
}

moved=''
switch_over() {
  # Writes are taken meanwhile, if the group can take any.
  until_true "$DRAIN_REJOIN_SECONDS" has_successor
  [[ -n $(others "$(members "$state" inSyncReplicas)") ]] || { say "no other member is in sync, stopping as master"; return; }
  refuse_writes || { say "could not refuse writes, stopping as master"; return; }
  move_role
  # A member that stays master must not refuse writes until it has stopped. One that was replaced must not be elected again.
  if [[ -n $FENCE && -n $moved ]]; then
    refuse_writes
  else
    accept_writes || say "writes could not be permitted again"
  fi
}

answers() {
  status=$(ha_status 2)
}

# A single answer can be late on a busy node.
until_true "$ANSWER_SECONDS" answers || { say "broker does not answer, stopping"; exit 0; }
# The master may stop too, and must not elect this slave.
[[ -z $FENCE ]] || is_master "$status" || refuse_writes
# The master takes writes meanwhile.
until_true "$DRAIN_LEADER_SECONDS" ask_controllers || {
  say "no controller knew a leader for $DRAIN_LEADER_SECONDS s, stopping"
  exit 0
}
if am_master; then
  switch_over
fi
# A slave may keep its connection to the old master until that one is gone, and attaches to the new one within a second of it.
until_true "$DRAIN_REJOIN_SECONDS" writable_without_me || say "the others cannot take writes yet, stopping"
say "stopping"
exit 0
