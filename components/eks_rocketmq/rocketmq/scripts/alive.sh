# Startup and liveness probe of every JVM. It distinguishes a slow process from a hung one.
#
#   bash alive.sh started HOST:PORT CODE   succeeds if the process answers
#   bash alive.sh running HOST:PORT CODE   succeeds if the process answers, or if it is slow
#
# A hung process accepts connections but never answers, so it must be killed. A slow process answers late; a restart would make
# it slower. An error response is an answer too. /proc is read only if no answer arrives within the first second.
set -u
. "${0%/*}/jvm-times.sh"

WAIT=${ANSWER_SECONDS:-4} # two failed probes of a broker must fit into 15 s
PATIENCE=${PATIENCE:-300} # seconds without an answer after which a slow process counts as hung
UNANSWERED=${UNANSWERED:-/tmp/unanswered} # uptime in seconds at the first slow probe; empty after an answer

mode=$1 address=$2 code=$3

# Sets `process` to the JVM's directory in /proc. The containers of a pod share one process namespace.
find_process() {
  local name
  for process in ${PROCESS:-/proc/[0-9]*}; do
    read -r name 2>/dev/null <"$process/comm" && [[ -n ${PROCESS:-} || $name == java ]] && return 0
  done
  process=''
  return 1
}

# answered SECONDS: waits for the first line of the answer. The status is above 128 if it has not arrived.
answered() {
  read -r -t "$1" _ <&5
}

# `timeout` ends all processes of the request. Standard error is closed because the runtime waits until all writers have ended.
exec 5< <(exec timeout "$WAIT" bash "${0%/*}/ask.sh" "$address" "$code" 2>/dev/null)
answered 1
status=$?
watched=''
if ((status > 128)); then
  if [[ $mode == running ]] && find_process; then
    # All processes of the pod, because the request may be late on its way to the JVM.
    start_watching ${PROCESS:-/proc/[0-9]*}
    watched=1
  fi
  answered $((WAIT - 1))
  status=$?
fi
if ((status == 0)); then
  [[ ! -s $UNANSWERED ]] || : >"$UNANSWERED"
  exit 0
fi

[[ -n $watched ]] || { echo "$address does not answer"; exit 1; }
stop_watching ${PROCESS:-/proc/[0-9]*}
busy=$?
said="no answer from $address within $WAIT s; $usage"
[[ $(state "$process") != [Tt] ]] || { echo "hung: $said; the process is stopped"; exit 1; }
((busy == 0)) || { echo "hung: $said"; exit 1; }

since=''
[[ ! -s $UNANSWERED ]] || since=$(<"$UNANSWERED")
if [[ -z $since ]]; then
  since=$((now / 100))
  echo "$since" >"$UNANSWERED"
  # The kubelet drops the output of a successful probe. This is the container's log.
  echo "slow: $said" >>"$process/fd/1"
fi
((now / 100 - since <= PATIENCE)) || { echo "slow for more than $PATIENCE s: $said"; exit 1; }
