# What the stories have in common: a fresh server on a free port, the real AWS CLI as its root, and steps that must answer as expected.
# To be sourced from the root of the repository, by bash with set -euo pipefail. LICET_BINARY is the program, if it is not bin/licet.

binary=${LICET_BINARY:-$PWD/bin/licet}
licet() { "$binary" "$@"; }
work=$(mktemp -d)
server=
finish() {
  status=$?
  if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if [ "$status" -ne 0 ] && [ -f "$work/server.log" ]; then echo "--- server log"; tail -n 40 "$work/server.log"; fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# run STEP EXPECTED COMMAND…: runs the command, shows its answer, and insists that it contains EXPECTED; where nothing is expected,
# that the command succeeds.
run() {
  local step=$1 expected=$2
  shift 2
  bold "$step"
  printf '$ %s\n' "${*//$work/.}"
  local answer status=0
  answer=$("$@" 2>&1) || status=$?
  [ -z "$answer" ] || printf '%s\n' "$answer"
  if [ -z "$expected" ] && [ "$status" -ne 0 ]; then
    printf '\nThis step should have succeeded.\n' >&2
    exit 1
  fi
  if [[ $answer != *"$expected"* ]]; then
    printf '\nThis step should have answered: %s\n' "$expected" >&2
    exit 1
  fi
}

bold "A fresh server"
"$binary" serve --data "$work/data" --listen 127.0.0.1:0 ${LICET_DEMO_FLAGS:-} >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  [ -f "$work/data/endpoint" ] && break
  kill -0 "$server" 2>/dev/null || { echo "the server did not start"; exit 1; }
  sleep 0.1
done
eval "$(licet env --data "$work/data")"
echo "\$ eval \"\$(licet env)\"     # $AWS_ENDPOINT_URL"

# Debian's AWS CLI (2.9) is older than AWS_ENDPOINT_URL (2.13), so the endpoint is given by flag.
export AWS_PAGER= AWS_CONFIG_FILE=$work/none AWS_SHARED_CREDENTIALS_FILE=$work/none
aws() { /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" --output json "$@"; }
