# Readiness of what asserts the declarations: the last round found everything on every member, and it was lately.
#
#   bash declared.sh STATUS SECONDS [alive]
#
# With `alive` only the second counts: what is missing is no reason to restart it.
set -u
state=$(cat "$1" 2>/dev/null) || { echo "no round has ended yet"; exit 1; }
(($(date +%s) - $(stat -c %Y "$1") <= $2)) || { echo "no round for more than $2 s"; exit 1; }
[[ ${3:-} == alive || $state == ok ]] || { echo "$state"; exit 1; }
