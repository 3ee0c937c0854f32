#!/usr/bin/env bash
# run.sh - flow-completion slowdowns of four congestion controls against the figures of HPCC.
#
# Simulates websearch.yaml on the 320-host fabric under each scheme of this folder (SCHEME.yaml is
# hpcc-320 with its control), compares the 95th percentiles of slowdown by flow size with
# hpcc_fct_slowdown_websearch30.csv, and writes docs/fct-slowdown.md. What each JSON document holds
# stays in OUT. Exit code 0: all within tolerance and in order; 4: not; 1: a run failed.
# Variables: RAILSIM=./railsim  JOBS=2  DURATION=100ms (of arrivals)  OUT=out/validate-long
#            DOC=docs/fct-slowdown.md
set -u
cd "$(dirname "$0")/../.." || exit 2
railsim=${RAILSIM:-./railsim} duration=${DURATION:-100ms}
out=${OUT:-out/validate-long} doc=${DOC:-docs/fct-slowdown.md}
here=tests/validation-long published=tests/validation-long/hpcc_fct_slowdown_websearch30.csv
schemes=(hpcc dcqcn-w timely-w dctcp)
mkdir -p "$out" || exit 3

begin=$SECONDS
export railsim duration out here
# shellcheck disable=SC2016
printf '%s\n' "${schemes[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} sh -c \
    '"$railsim" run "$here/{}.yaml" "$here/websearch.yaml" --set "workload.duration=$duration" \
        --json >"$out/{}.json" 2>"$out/{}.log"'
took=$((SECONDS - begin))

# field SCHEME EXPRESSION: a value of a scheme's document.
field() { sqlite3 :memory: "SELECT $2 FROM (SELECT readfile('$out/$1.json') AS j)"; }
for scheme in "${schemes[@]}"; do
    [ "$(field "$scheme" "json_extract(j, '\$.status')")" = ok ] && continue
    echo "$scheme: no result; see $out/$scheme.json"
    head -c 2000 "$out/$scheme.json"
    exit 1
done

# Lines of: scheme, name in the published table, and 95th percentiles in the order of its columns.
sizes=$(sed -n '/^cc,/{s/^cc,//;s/,/ /g;p}' "$published")
simulated() {
    local scheme size row name path
    for scheme in "${schemes[@]}"; do
        case $scheme in
        hpcc) name=HPCC ;; dcqcn-w) name=DCQCN+w ;; timely-w) name=TIMELY+w ;; dctcp) name=DCTCP ;;
        esac
        row=$name
        for size in $sizes; do
            path="\$.entities.\"flows/size<=$size\".slowdown_p95"
            row+=,$(field "$scheme" "json_extract(j, '$path')")
        done
        echo "$row"
    done
}
simulated >"$out/simulated.csv"

{
    cat "$here/head.md"
    printf '\n    make validate-long        # %d s on %d cores; ' "$took" "$(nproc)"
    printf '%s of arrivals, %d flows per scheme\n\n' "$duration" \
        "$(field hpcc "json_extract(j, '\$.entities.flows.done')")"
    awk -f "$here/table.awk" "$published" "$out/simulated.csv"
    result=$?
    printf '\n| scheme | drops | pauses | ECN marks | data-hops | CPU time | fingerprint |\n'
    printf '|---|---|---|---|---|---|---|\n'
    for scheme in "${schemes[@]}"; do
        field "$scheme" "printf('| %s | %d | %d | %d | %.0f M | %.0f s | %s |', '$scheme',
            j ->> '\$.entities.network.drops', j ->> '\$.entities.network.pauses',
            j ->> '\$.entities.network.ecn_marks', (j ->> '\$.engine.data_hops') / 1e6,
            j ->> '\$.engine.run_cpu_s', j ->> '\$.fingerprint')"
    done
    echo
    cat "$here/tail.md"
} >"$out/table.md"
cp "$out/table.md" "$doc" || exit 3
grep -E '^(Within|Order: [0-9])' "$doc"
exit "$result"
