#!/bin/sh
# Runs every fuzz target below the given folders, or of the whole module, for the given time each; stops at the first finding.
#   scripts/fuzz.sh 30s policy authz
set -eu
time=${1:-20s}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- .
out=$(mktemp)
trap 'rm -f "$out"' EXIT
grep -rl --include='*_test.go' '^func Fuzz' "$@" | sort | while read -r file; do
  dir=$(dirname "$file")
  for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
    echo "== $dir $target"
    go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x >"$out" 2>&1 && status=0 || status=$?
    tail -n 3 "$out"
    # Go before 1.27 may report the end of the time as a failure (golang/go#75804); then there is no failing input.
    if [ $status -ne 0 ] && { grep -q 'Failing input written\|panic\|build failed' "$out" || ! grep -q 'context deadline exceeded' "$out"; }; then
      cat "$out"
      exit 1
    fi
  done
done
