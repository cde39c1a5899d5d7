# Signs a request as RocketMQ's own clients do: HMAC-SHA1 over the values of its fields in the order of their names, then its body.
# Sourced by ask.sh. Coreutils do it: no openssl and no JVM is started for a probe. Passwords are ASCII.

# escaped HEX: the escapes from which printf makes those bytes.
escaped() {
  local i result=''
  for ((i = 0; i < ${#1}; i += 2)); do result+="\\x${1:i:2}"; done
  printf '%s' "$result"
}

# sha1 of what comes in, as hexadecimal digits.
sha1() {
  local sum
  sum=$(sha1sum)
  printf '%s' "${sum%% *}"
}

# hmac PASSWORD MESSAGE: HMAC-SHA1 (RFC 2104), base64.
hmac() {
  local key=$1 i code byte inner='' outer='' digest
  if ((${#key} > 64)); then
    digest=$(printf '%s' "$key" | sha1)
  else
    digest=''
    for ((i = 0; i < ${#key}; i++)); do
      printf -v byte '%02x' "'${key:i:1}"
      digest+=$byte
    done
  fi
  for ((i = 0; i < 128; i += 2)); do
    code=$((16#${digest:i:2}0 >> 4))
    printf -v byte '\\x%02x' $((code ^ 0x36))
    inner+=$byte
    printf -v byte '\\x%02x' $((code ^ 0x5c))
    outer+=$byte
  done
  digest=$({ printf '%b' "$inner"; printf '%s' "$2"; } | sha1)
  digest=$(printf '%b' "$outer$(escaped "$digest")" | sha1)
  printf '%b' "$(escaped "$digest")" | base64 -w0
}

# signed FIELDS BODY DIRECTORY: FIELDS, a JSON object of strings, with the user's name and the signature. DIRECTORY holds the
# files `username` and `password`.
signed() {
  local rest=$1 body=$2 username password names='AccessKey' message='' name
  username=$(<"$3/username") password=$(<"$3/password")
  local -A values=([AccessKey]=$username)
  while [[ $rest =~ \"([^\"]+)\":\"([^\"]*)\" ]]; do
    values[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    names+=$'\n'${BASH_REMATCH[1]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
  while read -r name; do
    message+=${values[$name]}
  done < <(sort <<<"$names")
  rest=${1#\{}
  printf '{"AccessKey":"%s","Signature":"%s"%s' "$username" "$(hmac "$password" "$message$body")" "${rest/#\"/,\"}"
}
