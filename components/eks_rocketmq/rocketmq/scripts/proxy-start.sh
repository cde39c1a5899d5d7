# Starts the proxy once a master is registered. RocketMQ's proxy exits if it finds none at its start.
#
#   bash proxy-start.sh COMMAND…
#
# Waits until at least one name server answers and every one that answers knows a master, then replaces itself with COMMAND.
# In the environment:
#   NAME_SERVERS   host:port of every name server, separated by blanks
#   CLUSTER        name of the RocketMQ cluster; brokers register a topic of that name, and the proxy reads its route
set -u
here=$(dirname "$0")

# Broker id 0 is the master.
master_is_known() {
  local server route status known=''
  for server in $NAME_SERVERS; do
    route=$(timeout 5 bash "$here/ask.sh" "$server" 105 "{\"topic\":\"$CLUSTER\"}")
    status=$?
    ((status < 2)) || continue # no answer
    [[ $route =~ [{,]\"?0\"?:\"[^\"]+:[0-9]+\" ]] || return 1
    known=1
  done
  [[ -n $known ]]
}

until master_is_known; do
  [[ -n ${told:-} ]] || echo "waiting for a name server that knows a master: $NAME_SERVERS"
  told=1
  sleep 1
done
exec "$@"
