# Startup and liveness probe of every JVM. It distinguishes a slow process from a hung one.
#
#   bash alive.sh started HOST:PORT CODE   succeeds if the process answers
#   bash alive.sh running HOST:PORT CODE   succeeds if the process answers, or if it is slow
#
# A hung process accepts connections but never answers, so it must be killed. A slow process answers late; a restart would make
# it slower. If no answer arrives, the kernel's scheduling statistics of the threads decide. While a slow process works on the
# request, at any time one of its threads has a CPU or waits for one. The threads of a hung process sleep, except for timers.
# An error response is an answer too. /proc is read only if no answer arrives within the first second.
set -u

WAIT=${ANSWER_SECONDS:-4} # two failed probes of a broker must fit into 15 s
RUNNABLE_PERCENT=70       # of the time, sum over all threads; 100 and more if slow, 20 to 40 in an idle broker
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

# Sets `now` to the uptime in hundredths of a second.
clock() {
  read -r now _ </proc/uptime
  now=${now/./}
}

# Sets `ran` (CPU time) and `waited` (run queue delay), both in microseconds, sums over all threads of the pod. The processes of
# the request count too, because it may be late on its way to the JVM.
read_times() {
  local file run delay
  ran=0 waited=0
  for file in ${PROCESS:-/proc/[0-9]*}/task/*/schedstat; do
    # A thread may end in between.
    read -r run delay _ 2>/dev/null <"$file" || continue
    ran=$((ran + run / 1000)) waited=$((waited + delay / 1000))
  done
}

# Prints the state of the process; T means stopped.
state() {
  local line
  read -r line 2>/dev/null <"$process/stat" || return
  line=${line##*) }
  printf '%s' "${line:0:1}"
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
    clock && read_times
    watched=1 then=$now ran_before=$ran waited_before=$waited
  fi
  answered $((WAIT - 1))
  status=$?
fi
if ((status == 0)); then
  [[ ! -s $UNANSWERED ]] || : >"$UNANSWERED"
  exit 0
fi

[[ -n $watched ]] || { echo "$address does not answer"; exit 1; }
clock && read_times
passed=$(((now - then) * 10)) ran=$(((ran - ran_before) / 1000)) waited=$(((waited - waited_before) / 1000))
said="no answer from $address within $WAIT s; in $passed ms its threads ran $ran ms and waited $waited ms for a CPU"
[[ $(state) != [Tt] ]] || { echo "hung: $said; the process is stopped"; exit 1; }
(((ran + waited) * 100 >= RUNNABLE_PERCENT * passed)) || { echo "hung: $said"; exit 1; }

since=''
[[ ! -s $UNANSWERED ]] || since=$(<"$UNANSWERED")
if [[ -z $since ]]; then
  since=$((now / 100))
  echo "$since" >"$UNANSWERED"
  # The kubelet drops the output of a successful probe. This is the container's log.
  echo "slow: $said" >>"$process/fd/1"
fi
((now / 100 - since <= PATIENCE)) || { echo "slow for more than $PATIENCE s: $said"; exit 1; }
