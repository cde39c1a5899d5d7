# Readiness of what asserts the declarations: the last round found everything on every member, and it was lately.
#
#   bash declared.sh STATUS SECONDS [alive]
#
# With `alive` it succeeds while requests are sent. A missing declaration is no reason for a restart, and a round over many
# members, or on an overloaded node, takes long.
set -u
file=$1 what="round has ended"
[[ ${3:-} != alive ]] || file=$1.alive what="request was sent"
[[ -e $file ]] || { echo "no $what yet"; exit 1; }
(($(date +%s) - $(stat -c %Y "$file") <= $2)) || { echo "no $what for more than $2 s"; exit 1; }
read -r state <"$file"
[[ ${3:-} == alive || $state == ok ]] || { echo "$state"; exit 1; }
