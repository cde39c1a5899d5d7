# Starts the controller with a timer slack of 5 ms.
#
#   bash controller-start.sh COMMAND…
#
# In each controller, four threads of DLedger 0.3.2 wait for 1 ms, over and over, also when nothing happens. No key changes
# that. With a timer slack the kernel may end such a wait up to 5 ms later, so that the threads run less often. A wait that
# ends because of an event is not delayed. Java inherits the slack; its threads do too.
TIMER_SLACK=${TIMER_SLACK:-/proc/self/timerslack_ns}

# A sandboxed kernel may lack the file. The controller then uses more of the processor, and that is all.
echo 5000000 2>/dev/null >"$TIMER_SLACK" || true
exec "$@"
