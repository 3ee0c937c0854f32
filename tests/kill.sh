#!/usr/bin/env bash
# kill.sh [ROUNDS] - kill -9 at random moments of a sweep; no committed point is lost or repeated.
#
# Each round is one case: a sweep is killed up to three times and resumed by the same command. After
# each kill: the workers are gone, the database is whole. At the end: every point that had been
# committed is still the same row (same start time, so it was not simulated again), no point is
# there twice, and all simulated values equal those of a sweep that nobody killed.
# Environment: RAILSIM, the program to test (./railsim); SEED of the random moments (the time).
set -u
cd "$(dirname "$0")/.." || exit 2
railsim=$(realpath "${RAILSIM:-./railsim}")
export RAILSIM_DATA=${RAILSIM_DATA:-$PWD}
rounds=${1:-8}
seed=${SEED:-$(date +%s)}
RANDOM=$seed
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
points=16
sweep=(sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --quiet -j 2
    --set workload.load.size=40GB --vary 'wan.rtt=0ms..45ms/4' --vary 'wan.rate=25Gbps..100Gbps/4')

query() { # query DB SQL
    sqlite3 -batch -noheader "$1" "$2" 2>&1
}

start_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
begin=$(start_ms)
"$railsim" "${sweep[@]}" -o "$scratch/whole.db" >"$scratch/table" 2>&1 || {
    cat "$scratch/table"
    echo '0 passed, 1 failed'
    exit 1
}
took_ms=$(($(start_ms) - begin))

fail() { # fail MESSAGE: of this round
    echo "--- round $round (SEED=$seed): $*"
    wrong=1
}

missing() { # missing FILE: it lacks a row of those that were committed
    [ -n "$(comm -23 <(sort "$scratch/committed") <(sort "$1"))" ]
}

alive() { # alive PID: it runs (a zombie that nobody waits for does not)
    grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"
}

# kill_once: starts the sweep, kills it at a random moment, looks at what is left.
kill_once() {
    local pid workers worker result
    "$railsim" "${sweep[@]}" -o "$db" >"$scratch/log" 2>&1 &
    pid=$!
    sleep "$(printf '0.%03d' $((RANDOM % (took_ms < 900 ? took_ms + 50 : 950))))"
    workers=$(pgrep -P "$pid")
    kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
    wait "$pid" 2>/dev/null
    for worker in $workers; do
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            alive "$worker" || break
            sleep 0.05
        done
        alive "$worker" && fail "worker $worker outlives its parent"
    done
    [ -s "$db" ] || return
    result=$(query "$db" 'PRAGMA integrity_check')
    [ "$result" = ok ] || fail "integrity: $result"
    # The tables may not be there yet: then nothing was committed.
    sqlite3 -batch -noheader "$db" "SELECT run_id, fingerprint, started FROM run
        WHERE status = 'ok'" >"$scratch/now" 2>/dev/null
    missing "$scratch/now" && fail 'a committed point was lost or repeated'
    cp "$scratch/now" "$scratch/committed"
}

passed=0 failed=0 kills=0
for round in $(seq "$rounds"); do
    wrong='' db=$scratch/killed.db
    rm -f "$db"*
    : >"$scratch/committed"
    for _ in $(seq $((1 + RANDOM % 3))); do kill_once; done
    "$railsim" "${sweep[@]}" -o "$db" >"$scratch/log" 2>&1 ||
        fail "cannot be resumed: $(cat "$scratch/log")"
    query "$db" "SELECT run_id, fingerprint, started FROM run WHERE status = 'ok'" >"$scratch/end"
    missing "$scratch/end" && fail 'a committed point was lost or repeated'
    n=$(query "$db" 'SELECT count(*) || " " || count(DISTINCT config_sha256) FROM run')
    [ "$n" = "$points $points" ] || fail "expected $points points, each once; got $n"
    "$railsim" compare "$db" "$scratch/whole.db" >"$scratch/log" 2>&1 ||
        fail "differs from an uninterrupted sweep: $(cat "$scratch/log")"
    cmp -s "$scratch/table" <("$railsim" "${sweep[@]}" -o "$db" 2>/dev/null) ||
        fail 'prints another table than an uninterrupted sweep'
    [ -n "$wrong" ] && failed=$((failed + 1)) || passed=$((passed + 1))
done
# A machine so fast that no kill hit a sweep has tested nothing.
if [ "$kills" -eq 0 ]; then
    echo '--- no sweep was hit'
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
