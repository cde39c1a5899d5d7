# Readiness of a controller: it answers and its quorum has a leader.
#
#   bash controller-ready.sh HOST:PORT
set -u
answer=$(timeout 8 bash "$(dirname "$0")/ask.sh" "$1" 1005) || { echo "controller does not answer on $1"; exit 1; }
[[ $answer =~ \"controllerLeaderId\":\"[^\"]+\" ]] || { echo "controller on $1 knows no leader"; exit 1; }
