# Readiness of a name server: it answers with its table of brokers.
#
#   bash name-server-ready.sh HOST:PORT
set -u
timeout 8 bash "$(dirname "$0")/ask.sh" "$1" 106 >/dev/null || { echo "name server does not answer on $1"; exit 1; }
