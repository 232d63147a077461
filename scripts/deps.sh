#!/bin/sh
# Installs the Debian packages that are missing, when root; otherwise says exactly what to install.
set -eu

# The program by which a package shows that it is there, whoever installed it.
present() {
  case "$1" in
    awscli) test -x /usr/bin/aws ;;
    python3) test -x /usr/bin/python3 ;;
    python3-boto3) /usr/bin/python3 -c 'import boto3' 2>/dev/null ;;
    iproute2) command -v ip >/dev/null ;;
    nodejs) test -x /usr/bin/node ;;
    postgresql) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing=""
for package in "$@"; do
  present "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null; then
  echo "Please install:$missing" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Please run: sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 1
fi
apt-get update -qq
# shellcheck disable=SC2086 # the list is words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
for package in "$@"; do
  present "$package" || { echo "$package is still missing after apt-get install" >&2; exit 1; }
done
