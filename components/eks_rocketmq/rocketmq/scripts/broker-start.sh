# Starts a broker that recovers its store as after a crash.
#
#   bash broker-start.sh STORE COMMAND…
#
# In the environment, with the agent: DRAIN_FENCE, see broker-drain.sh.
#
# A slave fills its queues only up to the offset that every member has. When it stops in order, its log is often longer. After
# that, RocketMQ (5.3.3 to 5.5.0) leaves out the first of the other messages: CommitLog.recoverNormally compares with > instead
# of >=. If a later one is in the same queue, no consumer gets the message once this member is master. After a crash,
# recoverAbnormally fills in all. RocketMQ treats the file `abort` as the sign of a crash.
STORE=$1
shift

[[ ! -d $STORE ]] || : >"$STORE/abort"
# /tmp outlives the process: a killed broker leaves a copy of RocksDB's library there, 13 MB, and a killed drain its fence.
rm -f "${TMPDIR:-/tmp}"/librocksdbjni* ${DRAIN_FENCE:+"$DRAIN_FENCE"}
exec "$@"
