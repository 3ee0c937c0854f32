#!/usr/bin/env bash
# run.sh [--update] - runs the golden scenarios and compares their stories and fingerprints.
#
# tests/golden/NAME.yaml is a workload or a topology; one of its first lines is a comment
#     # run: topologies/remote-storage.yaml FILE --set wan.rtt=40ms
# with the arguments of `railsim run` (FILE is the scenario itself). tests/golden/NAME.story is
# what happened, at most 40 lines: how it ended, the fingerprint, the phases with what bound each,
# and the metrics of the run. A commit that changes a story says `Results: changed (why)`.
# Environment: RAILSIM (./railsim). One scenario is one case.
set -u
cd "$(dirname "$0")/../.." || exit 2
railsim=${RAILSIM:-./railsim}
export RAILSIM_DATA=${RAILSIM_DATA:-$PWD}
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# tell DB: prints the story of the one run in DB.
tell() {
    sqlite3 -batch -noheader -separator ' ' "$1" <<'SQL'
SELECT 'status ' || status || ', fingerprint ' || fingerprint || ', ' || events || ' events'
    FROM v_point;
SELECT '';
SELECT printf('%-24s %12.6f s, %11.6f s long, %12lld bytes read, bound by %s', name, start_s,
    duration_s, read_bytes, bound) FROM v_phase ORDER BY phase LIMIT 16;
SELECT '';
SELECT printf('%-12s %12.6f s bound by %s', category, time_s, bound) FROM v_share
    ORDER BY time_s DESC, category, bound LIMIT 8;
SELECT '';
SELECT printf('%-28s %.9g %s', metric, value, unit) FROM v_metric WHERE entity = 'run'
    OR (entity = 'storage/client0/transport' AND metric IN ('losses', 'retransmitted_bytes'));
SQL
}

passed=0 failed=0
for scenario in tests/golden/*.yaml; do
    [ -e "$scenario" ] || continue
    name=$(basename "$scenario" .yaml)
    story=tests/golden/$name.story
    args=$(sed -nE '1,5s/^# run: *//p' "$scenario")
    got=$scratch/$name.story
    db=$scratch/$name.db
    args=${args//FILE/"$scenario"}
    # shellcheck disable=SC2086 # a list of arguments
    if ! timeout 60 "$railsim" run $args -o "$db" -q >"$scratch/out" 2>&1 </dev/null; then
        echo "--- $scenario: railsim run $args failed"
        cat "$scratch/out"
        failed=$((failed + 1))
        continue
    fi
    tell "$db" >"$got" 2>&1
    lines=$(wc -l <"$got")
    if [ "${1:-}" = --update ]; then cp "$got" "$story"; fi
    if ! diff -u --label "$story" --label got "$story" "$got" 2>&1; then
        failed=$((failed + 1))
    elif [ "$lines" -gt 40 ] || [ "$lines" -lt 3 ]; then
        echo "--- $story: $lines lines; a story has 3 to 40"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
done
echo "$passed passed, $failed failed"
