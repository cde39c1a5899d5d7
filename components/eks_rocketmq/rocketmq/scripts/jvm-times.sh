# Tells a slow JVM from a hung one by the kernel's scheduling statistics of its threads. Sourced.
#
# While a slow process works, at any time one of its threads has a CPU or waits for one. The threads of a hung process sleep,
# except for timers. A stopped process (state T) does neither.
RUNNABLE_PERCENT=70 # of the time, sum over all threads; 100 and more if slow, 20 to 40 in an idle broker

# Sets `now` to the uptime in hundredths of a second.
clock() {
  read -r now _ </proc/uptime
  now=${now/./}
}

# read_times PROCESS…: sets `ran` (CPU time) and `waited` (run queue delay), both in microseconds, sums over all threads of the
# processes, which are folders in /proc.
read_times() {
  local process file run delay
  ran=0 waited=0
  for process in "$@"; do
    for file in "$process"/task/*/schedstat; do
      # A thread may end in between.
      read -r run delay _ 2>/dev/null <"$file" || continue
      ran=$((ran + run / 1000)) waited=$((waited + delay / 1000))
    done
  done
}

# start_watching PROCESS…: takes the first sample.
start_watching() {
  clock && read_times "$@"
  then=$now ran_before=$ran waited_before=$waited
}

# stop_watching PROCESS…: takes the second sample, sets `usage` to what the threads did between them, and succeeds if they were
# as busy as those of a slow process.
stop_watching() {
  clock && read_times "$@"
  local passed=$(((now - then) * 10))
  ran=$(((ran - ran_before) / 1000)) waited=$(((waited - waited_before) / 1000))
  usage="in $passed ms its threads ran $ran ms and waited $waited ms for a CPU"
  (((ran + waited) * 100 >= RUNNABLE_PERCENT * passed))
}

# Prints the state of a process, which is a folder in /proc; T means stopped.
state() {
  local line
  read -r line 2>/dev/null <"$1/stat" || return
  line=${line##*) }
  printf '%s' "${line:0:1}"
}
