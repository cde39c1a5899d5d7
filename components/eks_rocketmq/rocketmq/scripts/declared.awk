# Turns an answer of a broker, one JSON token a line, into the lines in which things are declared. `kind` says which:
#   topics        NAME MESSAGE_TYPE READ_QUEUES WRITE_QUEUES PERMISSION
#   groups        NAME CONSUME BROADCAST ORDERLY RETRIES
#   users         NAME TYPE STATUS PASSWORD
#   permissions   SUBJECT RESOURCE ACTIONS SOURCES DECISION     (lists sorted and joined by commas, `-` for an empty one)

BEGIN {
  table["topics"] = "topicConfigTable"
  table["groups"] = "subscriptionGroupTable"
}

# Where a value stands: the names and positions above it, down to a depth.
function place(depth,    i, result) {
  for (i = 1; i <= depth; i++) result = result SUBSEP (open[i] == "[" ? position[i] : key[i])
  return result
}

function keep(entry, field, text) {
  if (!(entry in number)) { number[entry] = ++count; entries[count] = entry }
  value[entry, field] = text
}

function of(field, otherwise) { return (entry, field) in value ? value[entry, field] : otherwise }

function sorted(list,    words, n, i, j, word, result) {
  n = split(list, words, ",")
  if (!n) return "-"
  for (i = 2; i <= n; i++) {
    word = words[i]
    for (j = i - 1; j >= 1 && words[j] > word; j--) words[j + 1] = words[j]
    words[j + 1] = word
  }
  result = words[1]
  for (i = 2; i <= n; i++) result = result "," words[i]
  return result
}

$0 == "{" || $0 == "[" { depth++; open[depth] = $0; position[depth] = 0; naming = 1; next }
$0 == "}" || $0 == "]" { depth--; next }
$0 == "," { position[depth]++; naming = 1; next }
$0 == ":" { naming = 0; next }
{ gsub(/^"|"$/, "") }
open[depth] == "{" && naming { key[depth] = $0; next }

# {"topicConfigTable":{NAME:{"attributes":{"message.type":…},"perm":…}}}
(kind in table) && key[1] == table[kind] && (depth == 3 || key[4] == "message.type") { keep(place(2), key[depth], $0) }

# [{"username":…}]
kind == "users" { keep(place(1), key[2], $0) }

# [{"policies":[{"entries":[{"actions":["Pub"],"resource":…}]}],"subject":…}]
kind == "permissions" && depth == 2 && key[2] == "subject" { subject[position[1]] = $0 }
kind == "permissions" && depth == 6 { keep(place(5), key[6], $0) }
kind == "permissions" && depth == 7 {
  entry = place(5)
  keep(entry, key[6], of(key[6], "") == "" ? $0 : of(key[6], "") "," $0)
}

END {
  for (i = 1; i <= count; i++) {
    entry = entries[i]
    split(entry, at, SUBSEP)
    if (kind == "topics") print of("topicName"), of("message.type", "NORMAL"), of("readQueueNums"), of("writeQueueNums"), of("perm")
    if (kind == "groups") print of("groupName"), of("consumeEnable"), of("consumeBroadcastEnable"), of("consumeMessageOrderly"), of("retryMaxTimes")
    if (kind == "users") print of("username"), of("userType"), of("userStatus"), of("password")
    if (kind == "permissions") print subject[at[2]], of("resource"), sorted(of("actions")), sorted(of("sourceIps")), of("decision")
  }
}
