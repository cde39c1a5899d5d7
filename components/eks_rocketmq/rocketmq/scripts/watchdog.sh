# Kills a JVM that hangs. The agent in the JVM starts it, and writes a line to its standard input every 2 s.
#
#   bash watchdog.sh PID
#
# On an overloaded node the lines are late, and a restart would make it worse. So the kernel's statistics decide, as in alive.sh.
# A probe of the kubelet cannot decide it: it only knows that the answer was late.
set -u
. "${0%/*}/jvm-times.sh"

SILENCE=${SILENCE:-4}     # seconds without a line after which the threads are watched, for as long again
PATIENCE=${PATIENCE:-300} # seconds without a line after which a slow process counts as hung
process=${PROCESS:-/proc/$1}

# The JVM was not told its end: what it prints goes to the log of the container.
say() {
  echo "watchdog: $*"
}

# heard: waits for the next line. The status is above 128 if none has come; the JVM has ended if it is 1.
heard() {
  read -r -t "$SILENCE" _
}

silent=0
while :; do
  heard
  case $? in
    0) silent=0 && continue ;;
    1) exit 0 ;;
  esac
  start_watching "$process"
  heard
  case $? in
    0) silent=0 && continue ;;
    1) exit 0 ;;
  esac
  stop_watching "$process"
  busy=$?
  silent=$((silent + 2 * SILENCE))
  said="no sign of life for $silent s; $usage"
  if ((busy == 0 && silent <= PATIENCE)) && [[ $(state "$process") != [Tt] ]]; then
    say "slow: $said"
    continue
  fi
  say "hung: $said; state $(state "$process")"
  kill -KILL "$1"
  exit 0
done
