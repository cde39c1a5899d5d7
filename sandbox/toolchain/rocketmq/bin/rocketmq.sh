#!/bin/bash
# The programs of RocketMQ under their usual names (links to this file): exec, so that the JVM gets the signals.
# The official image sizes heaps by fixed figures; here the JVM sizes them by the container unless HEAP_OPTS does.
set -euo pipefail

case "$(basename "$0")" in
  mqnamesrv) main=namesrv.NamesrvStartup ;;
  mqcontroller) main=controller.ControllerStartup ;;
  mqbroker) main=broker.BrokerStartup ;;
  mqproxy) main=proxy.ProxyStartup ;;
  mqadmin) main=tools.command.MQAdminStartup ;;
  *)
    echo "$0: call it as mqnamesrv, mqcontroller, mqbroker, mqproxy or mqadmin" >&2
    exit 2
    ;;
esac

export ROCKETMQ_HOME=${ROCKETMQ_HOME:-$(dirname "$(dirname "$(readlink -f "$0")")")}
# Flags from outside are words to split.
# shellcheck disable=SC2086
exec java ${HEAP_OPTS:-} \
  --add-exports=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED \
  ${JAVA_OPT_EXT:-} -cp "$ROCKETMQ_HOME/conf:$ROCKETMQ_HOME/lib/*" "org.apache.rocketmq.$main" "$@"
