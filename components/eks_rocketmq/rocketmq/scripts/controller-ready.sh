# Readiness of a controller: it answers, its quorum has a leader, and its log is complete.
#
#   bash controller-ready.sh HOST:PORT STORE
#
# The state of a controller is what the events of its log add up to. Without its first events, it must not lead. A follower
# does not say which events it has applied. Only the agent knows that.
set -u
here=$(dirname "$0")
answer=$(timeout 8 bash "$here/ask.sh" "$1" 1005) || { echo "controller does not answer on $1"; exit 1; }
[[ $answer =~ \"controllerLeaderId\":\"[^\"]+\" ]] || { echo "controller on $1 knows no leader"; exit 1; }

# The first entry is at the beginning of the first file, and an entry does not begin with zeros.
first=0 magic=''
for file in "$2"/dledger-*/data/*; do
  first=${file##*/}
  magic=$(od -An -tx4 -N4 "$file" 2>/dev/null)
  break
done
[[ $first =~ ^0+$ && -n ${magic//[ 0]/} ]] || { echo "the log of the controller on $1 lacks its first events"; exit 1; }

# A leader that cannot apply events says to every request that it does not lead. It knows no such group, which is no error.
if [[ $answer =~ \"isLeader\":\"?true ]]; then
  timeout 8 bash "$here/ask.sh" "$1" 1006 '{}' '["readiness"]' >/dev/null ||
    { echo "the controller on $1 leads, but serves no requests"; exit 1; }
fi
