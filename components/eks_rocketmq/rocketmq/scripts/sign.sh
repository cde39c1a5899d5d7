# Signs a request as RocketMQ's own clients do: HMAC-SHA1 over the values of its fields in the order of their names, then its body.
# Sourced by ask.sh. Nothing but sha1sum is started for it, a probe has little time. Passwords are ASCII.

# escaped HEX: sets `bytes` to the escapes from which printf makes those bytes.
escaped() {
  local i
  bytes=''
  for ((i = 0; i < ${#1}; i += 2)); do bytes+="\\x${1:i:2}"; done
}

# hmac PASSWORD MESSAGE: sets `digest` to the hexadecimal digits of the HMAC-SHA1 (RFC 2104).
hmac() {
  local key='' i byte code inner='' outer='' bytes
  if ((${#1} > 64)); then
    key=$(printf '%s' "$1" | sha1sum)
    key=${key%% *}
  else
    for ((i = 0; i < ${#1}; i++)); do
      printf -v byte '%02x' "'${1:i:1}"
      key+=$byte
    done
  fi
  for ((i = 0; i < 128; i += 2)); do
    code=${key:i:2}
    printf -v byte '\\x%02x' $((16#${code:-0} ^ 0x36))
    inner+=$byte
    printf -v byte '\\x%02x' $((16#${code:-0} ^ 0x5c))
    outer+=$byte
  done
  digest=$(printf '%b%s' "$inner" "$2" | sha1sum)
  escaped "${digest%% *}"
  digest=$(printf '%b' "$outer$bytes" | sha1sum)
  digest=${digest%% *}
}

# base64_of_20 HEX: sets `encoded` to the same 20 bytes in base64, which end with one `=`.
base64_of_20() {
  local letters=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ digits=${1}00 i three
  encoded=''
  for ((i = 0; i < 42; i += 6)); do
    three=$((16#${digits:i:6}))
    encoded+=${letters:three >> 18 & 63:1}${letters:three >> 12 & 63:1}${letters:three >> 6 & 63:1}${letters:three & 63:1}
  done
  encoded=${encoded:0:27}=
}

# sign FIELDS BODY DIRECTORY: sets `fields` to FIELDS, a JSON object of strings, with the user's name and the signature. DIRECTORY
# holds the files `username` and `password`.
sign() {
  local rest=$1 username password names=AccessKey message='' name digest encoded
  username=$(<"$3/username") && password=$(<"$3/password") || return 1
  local -A values=([AccessKey]=$username)
  while [[ $rest =~ \"([^\"]+)\":\"([^\"]*)\" ]]; do
    values[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    names+=$'\n'${BASH_REMATCH[1]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
  if [[ $names == *$'\n'* ]]; then names=$(sort <<<"$names"); fi
  while read -r name; do message+=${values[$name]}; done <<<"$names"
  hmac "$password" "$message$2"
  base64_of_20 "$digest"
  rest=${1#\{}
  fields="{\"AccessKey\":\"$username\",\"Signature\":\"$encoded\"${rest/#\"/,\"}"
}
