# Sends one request of RocketMQ's remoting protocol and prints the answer: its JSON header on the first line, its body after it.
#
#   bash ask.sh HOST:PORT CODE [EXT_FIELDS [BODY]]
#
# The body `-` is read from standard input: every process of the node can read arguments, so a password must not be one.
# A frame is `u32 length of the rest | u8 serializer, 0 = JSON | u24 header length | header | body`, both ways. A JVM in a
# probe would need a gigabyte in the container's own memory; bash, od and head need none.
# In the environment, for a RocketMQ with access control or TLS:
#   CREDENTIALS   folder with the files `username` and `password` of the user who signs; brokers check it, others pass it over
#   TLS           speak TLS; TLS_CA is a file of the authorities that a certificate must come from, without it any will do
# Exit status: 0 answered with code 0, 1 refused, 2 nobody answered or not in this protocol.
set -u -o pipefail
export LC_ALL=C # lengths are bytes

address=$1 code=$2 fields=${3:-"{}"} body=${4:-}
[[ $body != - ]] || body=$(cat)
if [[ -n ${CREDENTIALS:-} ]]; then
  . "$(dirname "$0")/sign.sh"
  sign "$fields" "$body" "$CREDENTIALS" || exit 2
fi
header="{\"code\":$code,\"language\":\"OTHER\",\"version\":317,\"opaque\":1,\"flag\":0,\"extFields\":$fields}"

u32() {
  local hex
  printf -v hex '%08x' "$1"
  printf '%s' "\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}"
}

exec 2>/dev/null
trap '' PIPE # who hangs up before the question is out has not answered
if [[ -n ${TLS:-} ]]; then
  # Where any certificate will do, the system's certificate authorities are not loaded: they take longer than the rest.
  trust=(-no-CAfile -no-CApath)
  if [[ -n ${TLS_CA:-} ]]; then trust=(-verify_return_error -CAfile "$TLS_CA"); fi
  coproc CHANNEL { exec openssl s_client -quiet -connect "$address" "${trust[@]}"; }
  trap 'kill "${CHANNEL_PID:-}" && wait "$CHANNEL_PID"' EXIT
  exec 3<&"${CHANNEL[0]:-}" 4>&"${CHANNEL[1]:-}" || exit 2
else
  exec 3<>"/dev/tcp/${address%:*}/${address##*:}" 4>&3 || exit 2
fi
printf "$(u32 $((4 + ${#header} + ${#body})))$(u32 ${#header})%s%s" "$header" "$body" >&4 || exit 2

# With -N od reads without buffering, so the rest of the frame is left for head.
read -r -a bytes < <(od -An -v -tu1 -N8 <&3)
((${#bytes[@]} == 8)) || exit 2
length=$(((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]))
header_length=$(((bytes[5] << 16) | (bytes[6] << 8) | bytes[7]))
((bytes[4] == 0 && header_length > 0 && length >= 4 + header_length)) || exit 2

answer=$(head -c "$header_length" <&3)
((${#answer} == header_length)) || exit 2
printf '%s\n' "$answer"
head -c $((length - 4 - header_length)) <&3
# The outer object has exactly one "code"; anything but 0 is a refusal.
[[ $answer =~ \"code\":0[,}] ]]
