# What the broker's probes and its drain share. Sourced, with these in the environment:
#   BROKER        host:port of the broker in this pod, reached over loopback
#   SELF          host:port under which the controllers know it
#   GROUP         name of its broker group
#   CONTROLLERS   host:port of every controller, separated by blanks
#   MIN_IN_SYNC   members that a write needs
here=$(dirname "${BASH_SOURCE[0]}")

# ask SECONDS HOST:PORT CODE [EXT_FIELDS [BODY]]: bounded, because a hung process still accepts connections.
ask() {
  timeout "$1" bash "$here/ask.sh" "${@:2}"
}

# Role and replication of this broker: `master` true or false, and on a master one entry for every slave.
ha_status() {
  ask "$1" "$BROKER" 907
}

is_master() {
  [[ $1 =~ \"master\":true ]]
}

# controller_leader [SECONDS]: prints host:port of the controllers' leader. SECONDS is the timeout for each controller.
controller_leader() {
  local controller answer
  for controller in $CONTROLLERS; do
    answer=$(ask "${1:-1}" "$controller" 1005) || continue
    if [[ $answer =~ \"controllerLeaderAddress\":\"([^\"]+)\" ]]; then
      printf '%s\n' "${BASH_REMATCH[1]}"
      return 0
    fi
  done
  return 1
}

# group_state LEADER [SECONDS]: what the leader knows of this group: its master and who is in sync.
group_state() {
  ask "${2:-2}" "$1" 1006 '{}' "[\"$GROUP\"]"
}

# members STATE inSyncReplicas|notInSyncReplicas: one line `id host:port alive` for every member.
members() {
  local list entry
  [[ $1 =~ \"$2\":\[([^]]*)\] ]] || return 0
  list=${BASH_REMATCH[1]}
  while [[ $list =~ \{([^}]*)\} ]]; do
    entry=${BASH_REMATCH[1]}
    list=${list#*\}}
    [[ $entry =~ \"brokerId\":([0-9]+) ]] && local id=${BASH_REMATCH[1]}
    [[ $entry =~ \"brokerAddress\":\"([^\"]+)\" ]] && local address=${BASH_REMATCH[1]}
    [[ $entry =~ \"alive\":(true|false) ]] && printf '%s %s %s\n' "$id" "$address" "${BASH_REMATCH[1]}"
  done
}

# The file that leads to the container's log: what the JVM prints goes there, and process 1 of the pod is another one.
log_of_the_broker() {
  local process name
  for process in /proc/[0-9]*; do
    if read -r name 2>/dev/null <"$process/comm" && [[ $name == java ]]; then
      echo "$process/fd/1"
      return
    fi
  done
  echo /dev/null
}
