#!/usr/bin/env bash
# How long a reply takes beside other programs, by the number of threads.
#   Benchmarks/busy-cores.sh SELFCD [MODEL]
# Runs beside no, one and as many busy loops as there are cores. Prints the median of five runs in seconds.
set -euo pipefail

selfcd=${1:?usage: busy-cores.sh SELFCD [MODEL]}
model=${2:-smollm2}
cores=$(getconf _NPROCESSORS_ONLN)
busy=()
stop() { [ ${#busy[@]} = 0 ] || kill "${busy[@]}" 2>/dev/null || true; busy=(); }
trap stop EXIT

median() { # median THREADS-OPTION...
  for _ in 1 2 3 4 5; do
    local begin end
    begin=$(date +%s.%N)
    timeout 120 "$selfcd" generate -m "$model" -s plain -n 100 --temperature 0 "$@" \
      "Explain in detail how a bicycle works." >/dev/null 2>&1
    end=$(date +%s.%N)
    echo "$begin $end"
  done | awk '{ print $2 - $1 }' | sort -n | sed -n 3p
}

printf '| busy programs | one thread | all %s cores | default |\n|---|---|---|---|\n' "$cores"
for count in 0 1 "$cores"; do
  for ((index = 0; index < count; index++)); do
    yes >/dev/null &
    busy+=($!)
  done
  printf '| %s | %.2f | %.2f | %.2f |\n' "$count" \
    "$(median --threads 1)" "$(median --threads "$cores")" "$(median)"
  stop
done
