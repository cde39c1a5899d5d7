# Asserts what is declared on every member of every broker group, for as long as it runs.
#
#   bash declare.sh [once]
#
# Topics and consumer groups are made on a group's master and reach its slaves within about 12 s; a failover in between loses
# them. Users and permissions never travel: they are written on every member. So each round looks at what every member really has,
# writes what it lacks, and says so; a round that changed or missed nothing makes this pod ready (declared.sh reads STATUS).
# Topics and consumer groups are never deleted, they hold messages and positions. Users and permissions are exactly those declared.
#
# In the environment:
#   DECLARED   folder with `members` (lines `GROUP HOST:PORT`), `topics.GROUP` and `groups` in the lines of declared.awk
#   ACCESS     folder with `users` and `permissions` in the lines of declared.awk; unset without access control
#   STATUS     file for the state of the last round, `ok` or what is missing; STATUS.alive is written at each request
#   PAUSE      seconds between two rounds that find everything in place
#   RETRY      seconds before the next round otherwise, 1 when unset
set -u -o pipefail
set -f # the resource `*` is no pattern of file names
export LC_ALL=C
here=$(dirname "$0")

REFUSALS=3 # rounds with a refusal before this ends, so that Pulumi shows the reason; later ones are only logged
MISSING=() REFUSED=0 ever=''

ask() {
  echo >"$STATUS.alive"
  timeout 5 bash "$here/ask.sh" "$@"
}

# request WHAT ADDRESS CODE FIELDS [BODY]: writes; the reason of a refusal is RocketMQ's own.
request() {
  local what=$1 answer
  if answer=$(ask "${@:2:3}" - < <(printf '%s' "${5:-}")); then
    echo "made $what on $2"
  elif [[ $answer =~ \"remark\":\"([^\"]*)\" ]]; then
    REFUSED=1
    MISSING+=("$what is refused by $2: ${BASH_REMATCH[1]}")
  fi
}

# actual ADDRESS KIND CODE [FIELDS]: what the member has of that kind, as the lines in which it is declared.
actual() {
  local answer
  answer=$(ask "$1" "${@:3}") || return 1
  # A broker without any answers with nothing, in which grep finds none.
  tail -n +2 <<<"$answer" |
    { grep -oE '"([^"\\]|\\.)*"|[]{}:,[]|[^]{}:,"[:space:][]+' || true; } |
    awk -v kind="$2" -f "$here/declared.awk" | sort
}

# lacking DECLARED ACTUAL: declared lines that the member does not have.
lacking() {
  comm -23 <(sort "$1") <(printf '%s\n' "$2")
}

make_topic() { # ADDRESS NAME TYPE READ WRITE PERMISSION
  local fields="{\"topic\":\"$2\",\"defaultTopic\":\"TBW102\",\"readQueueNums\":\"$4\",\"writeQueueNums\":\"$5\",\"perm\":\"$6\""
  fields+=",\"topicFilterType\":\"SINGLE_TAG\",\"topicSysFlag\":\"0\",\"order\":\"false\",\"attributes\":\"+message.type=$3\"}"
  request "topic $2" "$1" 17 "$fields"
}

make_group() { # ADDRESS NAME CONSUME BROADCAST ORDERLY RETRIES
  local body="{\"groupName\":\"$2\",\"consumeEnable\":$3,\"consumeBroadcastEnable\":$4,\"consumeMessageOrderly\":$5"
  request "consumer group $2" "$1" 200 '{}' "$body,\"retryQueueNums\":1,\"retryMaxTimes\":$6}"
}

make_user() { # ADDRESS CODE NAME TYPE STATUS PASSWORD
  local body="{\"username\":\"$3\",\"password\":\"$6\",\"userType\":\"$4\",\"userStatus\":\"$5\"}"
  request "user $3" "$1" "$2" "{\"username\":\"$3\"}" "$body"
}

make_permission() { # ADDRESS SUBJECT RESOURCE ACTIONS SOURCES DECISION
  local sources=''
  [[ $5 == - ]] || sources="\"${5//,/\",\"}\""
  local entry="{\"resource\":\"$3\",\"actions\":[\"${4//,/\",\"}\"],\"sourceIps\":[$sources],\"decision\":\"$6\"}"
  request "permission of $2 for $3" "$1" 3007 "{\"subject\":\"$2\"}" \
    "{\"subject\":\"$2\",\"policies\":[{\"policyType\":\"Custom\",\"entries\":[$entry]}]}"
}

# Topics and consumer groups of one member; only a master takes them, a slave has its own from there.
assert_topics() { # GROUP ADDRESS MASTER
  local line topics groups name queues written
  # RocketMQ 5.5.0 reads the fields only with enableSplitMetadata, but logs an error for each request without them.
  topics=$(actual "$2" topics 21 '{"topicSeq":"0"}') && groups=$(actual "$2" groups 201 '{"groupSeq":"0"}') || { MISSING+=("$2 does not answer for its topics"); return; }
  while read -r line; do
    read -r name _ queues _ <<<"$line"
    written=$(awk -v name="$name" '$1 == name { print $4 }' <<<"$topics")
    # Consumers would not read the messages in the queues above: see the argument `write_queues`.
    if ((${written:-0} > queues)); then
      REFUSED=1
      MISSING+=("topic $name is refused: $2 has $written write queues, and $queues read queues are declared. Declare $written queues, and fewer write queues first")
      continue
    fi
    MISSING+=("topic $name on $2")
    # The words of a declared line are the arguments.
    # shellcheck disable=SC2086
    [[ $2 != "$3" ]] || make_topic "$2" $line
  done < <(lacking "$DECLARED/topics.$1" "$topics")
  while read -r line; do
    MISSING+=("consumer group ${line%% *} on $2")
    # shellcheck disable=SC2086
    [[ $2 != "$3" ]] || make_group "$2" $line
  done < <(lacking "$DECLARED/groups" "$groups")
}

# Users and permissions of one member.
assert_access() { # ADDRESS
  local line users permissions code name subject resource declared
  users=$(actual "$1" users 3005) && permissions=$(actual "$1" permissions 3010) ||
    { MISSING+=("$1 does not answer for its users"); return; }
  while read -r line; do
    name=${line%% *} code=3001
    [[ $'\n'$users == *$'\n'"$name "* ]] && code=3002
    MISSING+=("user $name on $1")
    # shellcheck disable=SC2086
    make_user "$1" "$code" $line
  done < <(lacking "$ACCESS/users" "$users")
  while read -r line; do
    MISSING+=("permission ${line% * * *} on $1")
    # shellcheck disable=SC2086
    make_permission "$1" $line
  done < <(lacking "$ACCESS/permissions" "$permissions")

  declared=$'\n'$(<"$ACCESS/permissions")
  while read -r subject resource _; do
    [[ -z $subject || $declared == *$'\n'"$subject $resource "* ]] && continue
    MISSING+=("permission $subject $resource still on $1")
    request "no permission of $subject for $resource" "$1" 3008 \
      "{\"subject\":\"$subject\",\"policyType\":\"Custom\",\"resource\":\"$resource\"}"
  done <<<"$permissions"
  declared=$'\n'$(<"$ACCESS/users")
  while read -r name _; do
    [[ -z $name || $declared == *$'\n'"$name "* ]] && continue
    MISSING+=("user $name still on $1")
    request "no user $name" "$1" 3003 "{\"username\":\"$name\"}"
  done <<<"$users"
}

round() {
  local group address status
  declare -A masters=()
  MISSING=() REFUSED=0
  while read -r group address; do
    if ! status=$(ask "$address" 907); then
      MISSING+=("$address of $group does not answer")
    elif [[ $status == *'"master":true'* ]]; then
      masters[$group]=$address
    fi
  done <"$DECLARED/members"
  while read -r group address; do
    [[ -n ${masters[$group]:-} ]] || MISSING+=("$group has no master")
    assert_topics "$group" "$address" "${masters[$group]:-}"
    [[ -z ${ACCESS:-} ]] || assert_access "$address"
  done <"$DECLARED/members"
}

state=''
tell() {
  [[ $1 == "$state" ]] || echo "$1"
  state=$1
  printf '%s\n' "$1" >"$STATUS.new" && mv "$STATUS.new" "$STATUS"
}

refusals=0
while :; do
  round
  if ((${#MISSING[@]} == 0)); then
    ever=1 refusals=0
    tell ok
  else
    tell "missing: $(printf '%s\n' "${MISSING[@]}" | head -n 5 | paste -sd ';')"
    refusals=$((refusals + REFUSED))
    if ((REFUSED && refusals >= REFUSALS)) && [[ -z $ever ]]; then
      printf '%s\n' "${MISSING[@]}" | grep refused | tee "${TERMINATION_LOG:-/dev/null}"
      exit 1
    fi
  fi
  [[ ${1:-} != once ]] || exit $((${#MISSING[@]} > 0))
  sleep "$( ((${#MISSING[@]})) && echo "${RETRY:-1}" || echo "$PAUSE")"
done
