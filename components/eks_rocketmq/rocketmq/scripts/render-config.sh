# Fills what differs between the pods of a set into a configuration file: its address, its ordinal, and the name and password of
# RocketMQ's own user where there is access control.
#
#   bash render-config.sh TEMPLATE FILE
#
# The template lies in an immutable ConfigMap that all pods share, and RocketMQ takes these keys from its file alone. Bash fills
# them in itself: a password never stands on the command line of a program.
set -eu
umask 077

text=$(<"$1")
text=${text//'${POD_IP}'/"$POD_IP"}
text=${text//'${ORDINAL}'/"${POD_NAME##*-}"}
if [[ -n ${CREDENTIALS:-} ]]; then
  text=${text//'${INTERNAL_USERNAME}'/"$(<"$CREDENTIALS/username")"}
  text=${text//'${INTERNAL_PASSWORD}'/"$(<"$CREDENTIALS/password")"}
fi
printf '%s\n' "$text" >"$2"
