#!/usr/bin/env bash
# inject.sh - hostile strings through names, labels, titles and paths: 0 executed, text exact.
#
# Each string is the name of a workload file (so it reaches legends and panel titles), of the output
# file and folder, of TMPDIR, and the title. Executed means: the command `pwn` ran. Exact means: the
# figure holds the string as text. Ends with "N passed, N failed".
# Environment: RAILSIM, the program to test (./railsim).
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
railsim=$(realpath "${RAILSIM:-$root/railsim}")
for name in "${!RAILSIM_@}"; do unset "$name"; done # options of the user's shell
export RAILSIM_DATA=$root LC_ALL=C.UTF-8
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" || exit 1
printf '#!/bin/sh\n: >%s/pwned\n' "$scratch" >"$scratch/bin/pwn"
chmod +x "$scratch/bin/pwn"
export PATH=$scratch/bin:$PATH
passed=0 failed=0

# verdict NAME PROBLEM: counts a case, which is fine when PROBLEM is empty.
verdict() {
    [ -e "$scratch/pwned" ] && set -- "$1" "executed${2:+; $2}"
    if [ -z "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- $1: $2: $evil"
        head -n 5 "$scratch/log"
    fi
    rm -f "$scratch/pwned"
}

# as_xml TEXT: how gnuplot writes text into SVG.
as_xml() {
    local text=${1//&/"&amp;"}
    text=${text//</"&lt;"}
    printf '%s' "$text"
}

# shellcheck disable=SC2016 # nothing here is meant to expand
strings=(
    '`pwn`' '$(pwn)' '"; system("pwn") #' "'; system('pwn') #"
    '| pwn' '|pwn' '< pwn' '; pwn ;' '!pwn'
    $'line\n!pwn' $'line\nsystem("pwn")' '\140pwn\140' '@pwn' '%s%n%d'
    '{=20 x}_y^z' '&amp;<b>' "a' b\"c\\" '--title' '-' '🚄 日本語' '*?[a-z]' '~root' '#no comment'
    "'); DROP TABLE run; --"
)
figures=(slowdown-vs-rtt time-vs-rtt slowdown-map time-breakdown read-throughput)

for i in "${!strings[@]}"; do
    evil=${strings[$i]}
    shown=${evil//$'\n'/ }
    box=$scratch/$i
    mkdir -p "$box/$evil folder" && cd "$box" || exit 1
    figure=${figures[$((i % ${#figures[@]}))]}
    export TMPDIR="$box/$evil folder"
    cp "$root/workloads/llama2-70b-lora.yaml" "./$evil.yaml"
    "$railsim" run "$root/topologies/remote-storage.yaml" "./$evil.yaml" --set wan.rtt=15ms \
        --quiet -o "./$evil.db" >"$scratch/log" 2>&1
    rc=$?
    verdict run "$([ $rc -eq 0 ] || echo "exit $rc")"

    out="./$evil folder/$evil.svg"
    "$railsim" plot "./$evil.db" "$figure" --title="title $evil" -o "$out" >"$scratch/log" 2>&1
    rc=$?
    problem=
    if [ $rc -ne 0 ]; then
        problem="exit $rc"
    elif ! grep -qF -- "$(as_xml "title $shown")" "$out"; then
        problem="the title is not exact"
    elif [ "$figure" = read-throughput ] && ! grep -qF -- "$(as_xml "$shown")," "$out"; then
        problem="the label is not exact"
    elif [ "$(find "$TMPDIR" -mindepth 1 -printf .)" != . ]; then
        problem="left something in TMPDIR"
    fi
    verdict "plot $figure" "$problem"

    "$railsim" plot "./$evil.db" "$evil" >"$scratch/log" 2>&1
    rc=$?
    verdict 'plot of an unknown figure' "$([ $rc -eq 2 ] || echo "exit $rc, not 2")"
done

# What a terminal would obey, and SVG cannot hold, comes out as U+FFFD; a cut character too.
evil=$'\e]0;x\a \x7f \xc2\x9b31m \xff'
box=$scratch/control
mkdir "$box" && cd "$box" || exit 1
unset TMPDIR
cp "$scratch/0/"*.db results.db
"$railsim" plot results.db time-vs-rtt --title "$evil" -o x.txt >"$scratch/log" 2>&1
rc=$?
bytes=$(LC_ALL=C tr -d '\n\040-\176\200-\377' <x.txt | wc -c)
problem=$([ $rc -eq 0 ] || echo "exit $rc")
[ "$bytes" -eq 0 ] || problem="$bytes control characters in the terminal"
verdict 'control characters' "$problem"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
