#!/usr/bin/env bash
# determinism.sh - a few sweeps, many programs and circumstances: identical results, to the bit.
#
# Programs: $VARIANTS_BUILD/*/railsim (compilers and options, built by `make check-determinism`).
# Circumstances: -j 1 and -j 2, locales, libm without FMA and AVX2. Each run is one case, compared
# with the first in every simulated value that the database holds.
set -u
cd "$(dirname "$0")/.." || exit 2
variants=${VARIANTS_BUILD:?set by the Makefile}
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
# shellcheck disable=SC2034
storage=(topologies/remote-storage.yaml workloads/resnet50.yaml workloads/llama2-70b-lora.yaml
    --vary 'wan.rtt=0ms,20ms')
# shellcheck disable=SC2034 # by name, in try
packet=(tests/determinism/packet.yaml tests/determinism/flows.yaml
    --vary 'network.recovery=go-back-n,selective' --vary 'network.delivery=in-order,out-of-order'
    --vary 'network.routing.kind=adaptive,spray')
# shellcheck disable=SC2034
infiniband=(tests/determinism/packet.yaml tests/determinism/flows.yaml
    --set network.link_layer=infiniband --vary 'network.cc.kind=dcqcn,rtt_probe')

dump() { # dump DB: what was simulated, and nothing of how long that took
    sqlite3 -batch "$1" <<'SQL'
SELECT topology, workload, params, seed, status, fingerprint, time_to_train_s, slowdown FROM v_point
    ORDER BY run_id;
SELECT * FROM v_metric ORDER BY run_id, entity, metric;
SQL
}

passed=0 failed=0 first=
try() { # try LABEL PROGRAM JOBS [VARIABLE=VALUE...]
    local label=$1 program=$2 j=$3 db=$scratch/run.db
    shift 3
    : >"$scratch/got"
    local -n sweep
    for sweep in storage packet infiniband; do
        rm -f "$db"*
        if ! env "$@" RAILSIM_DATA="$PWD" timeout 300 "$program" sweep "${sweep[@]}" -j "$j" \
            -o "$db" --quiet </dev/null >"$scratch/log" 2>&1; then
            echo "--- $label: the sweep failed"
            cat "$scratch/log"
            failed=$((failed + 1))
            return
        fi
        dump "$db" >>"$scratch/got" 2>&1
    done
    if [ -z "$first" ]; then
        first=$label
        cp "$scratch/got" "$scratch/first"
        cp "$db" "$scratch/first.db"
    fi
    if [ "$(wc -l <"$scratch/got")" -lt 14 ]; then
        echo "--- $label: the database is empty"
        failed=$((failed + 1))
    elif ! cmp -s "$scratch/first" "$scratch/got"; then
        echo "--- $label differs from $first:"
        diff "$scratch/first" "$scratch/got" | head -20
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

for program in "$variants"/*/railsim; do
    name=$(basename "$(dirname "$program")")
    for j in 1 2; do
        try "$name -j $j" "$program" $j LC_ALL=C
    done
done
for locale in $(locale -a | grep -E '^(C\.utf8|de_DE|fr_FR|ja_JP|tr_TR)'); do
    try "locale $locale" "$program" 2 LC_ALL="$locale"
done
try 'libm without FMA and AVX2' "$program" 2 \
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA,-FMA4

echo "$passed passed, $failed failed"
