# Fills what differs between the pods of a set into a configuration file: its address and its ordinal.
#
#   bash render-config.sh TEMPLATE FILE
#
# The template lies in an immutable ConfigMap that all pods share, and RocketMQ takes these keys from its file alone.
set -eu
sed -e "s/\${POD_IP}/$POD_IP/g" -e "s/\${ORDINAL}/${POD_NAME##*-}/g" "$1" >"$2"
