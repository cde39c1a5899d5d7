#!/bin/bash
# A role as first argument or in NODE_ROLE starts that program; anything else is a command of its own.
set -euo pipefail

role=${NODE_ROLE:-}
case "${1:-}" in
  nameserver | broker | controller)
    role=$1
    shift
    ;;
esac
case "$role" in
  nameserver) exec ./mqnamesrv "$@" ;;
  broker) exec ./mqbroker "$@" ;;
  controller) exec ./mqcontroller "$@" ;;
  *) exec "$@" ;;
esac
