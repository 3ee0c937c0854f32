#!/usr/bin/env bash
# check.sh SUITE... - runs test suites two at a time; the last line is "N passed, N failed".
#
# A suite is a function suite_NAME below; it prints what failed and ends with "N passed, N failed".
# A suite that dies, or in which nothing ran, is a failed case: silence is never success.
# Environment: BUILD (folder of the objects), RAILSIM (program under test), CC, RUNNER (put before
# each test program, e.g. valgrind), JOBS (2), TEST_TIMEOUT (60 s per test program).
set -u
cd "$(dirname "$0")/.." || exit 2
export BUILD=${BUILD:-build/gcc-O2}
export RAILSIM=${RAILSIM:-$BUILD/railsim}
for name in "${!RAILSIM_@}"; do unset "$name"; done # options of the user's shell
export RAILSIM_DATA=$PWD                            # the program under test is not in the root
jobs=${JOBS:-2}
runner=${RUNNER:-}
limit=${TEST_TIMEOUT:-60}
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT

# programs KIND: runs $BUILD/tests/KIND/*; cmocka reports in TAP, each case counts.
programs() {
    local passed=0 failed=0 source program log rc ok planned name
    for source in tests/"$1"/*.c; do
        [ -e "$source" ] || continue
        program=$BUILD/${source%.c}
        name=${program##*/}
        log=$out/$name.log
        # shellcheck disable=SC2086 # RUNNER is a command with arguments
        CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$limit" $runner "$program" >"$log" 2>&1 </dev/null
        rc=$?
        ok=$(grep -cE '^[[:space:]]*ok [0-9]+' "$log")
        planned=$(sed -nE 's/^[[:space:]]*1\.\.([0-9]+)$/\1/p' "$log" |
            awk '{ n += $1 } END { print n + 0 }')
        [ "$planned" -eq 0 ] && planned=1 # died before the first case, or knows no TAP
        if [ $rc -eq 0 ] && [ "$ok" -eq 0 ]; then
            echo "$name: exit 0, but no case ran" >>"$log"
        elif [ $rc -ne 0 ] && [ "$ok" -ge "$planned" ]; then
            planned=$((ok + 1)) # all cases fine, yet it failed afterwards: a leak, a sanitizer
        fi
        passed=$((passed + ok))
        failed=$((failed + planned - ok))
        if [ "$rc" -ne 0 ] || [ "$ok" -ne "$planned" ]; then
            [ $rc -eq 124 ] && rc="$rc (timeout)"
            echo "--- $program: $ok of $planned passed, exit $rc"
            grep -vE '^[[:space:]]*(ok [0-9]|1\.\.)' "$log" | head -100
        fi
    done
    echo "$passed passed, $failed failed"
}
suite_unit() { programs unit; }
suite_property() { programs property; }
suite_cli() { tests/cli/run.sh; }
suite_golden() { tests/golden/run.sh; }
suite_badinput() { tests/badinput.sh; }
suite_fuzz() { tests/fuzz/replay.sh; }
suite_validation() { tests/validation.sh; }
suite_docs() { tests/docs.sh; }
suite_kill() { tests/kill.sh; }
suite_inject() { tests/inject.sh; }
suite_determinism() { tests/determinism.sh; }

# lint NAME COMMAND...: one rule is one case.
lint() {
    local name=$1
    shift
    if "$@"; then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; fi
}
suite_floors() { lint floors tests/lint/floors.sh; }
suite_limits() { lint limits tests/lint/limits.sh; }
suite_format() { lint format tests/lint/format.sh; }
suite_globals() { lint globals tests/lint/no_globals.sh "$LINT_BUILD/gcc"; }
suite_dead() { lint dead tests/lint/no_dead_code.sh "$LINT_BUILD/dead"; }
suite_gcc() { lint gcc warnings gcc; }
suite_clang() { lint clang warnings clang; }
suite_selftest() { tests/lint/selftest.sh; }
# warnings CC: everything compiles without a warning (the Makefile built it before, with -k).
warnings() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -k CI=1 SAN= CC="$1" OPT=-O2 \
        BUILD="$LINT_BUILD/$1" objects built >"$out/make.$1" 2>&1 && return
    grep -E '(error|warning):' "$out/make.$1" || cat "$out/make.$1"
    false
}

one() { # one SUITE: runs it, prints its compact line (and its failures) at once
    local suite=$1 start=$EPOCHREALTIME end rc tally passed failed text
    "suite_$suite" >"$out/$suite" 2>&1
    rc=$?
    end=$EPOCHREALTIME
    tally=$(tail -n 1 "$out/$suite" | grep -xE '[0-9]+ passed, [0-9]+ failed')
    if [ -z "$tally" ]; then
        tally='0 passed, 1 failed'
        echo "the suite died (exit $rc)" >>"$out/$suite"
    elif [ "$tally" = '0 passed, 0 failed' ]; then
        tally='0 passed, 1 failed'
        echo 'nothing ran' >>"$out/$suite"
    fi
    read -r passed _ failed _ <<<"$tally"
    echo "$passed $failed" >"$out/$suite.tally"
    text=$(printf '%-12s %5d passed %4d failed  %5.1f s' "$suite" "$passed" "$failed" \
        "$((${end/./} - ${start/./}))e-6")
    if [ "$failed" -eq 0 ]; then
        echo "$text"
    else
        printf '%s\n%s\n' "$text" "$(grep -vxE '[0-9]+ passed, [0-9]+ failed' "$out/$suite")"
    fi
}

running=0
for suite in "$@"; do
    if [ "$running" -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    one "$suite" &
    running=$((running + 1))
done
wait

passed=0 failed=0
for suite in "$@"; do
    read -r p f <"$out/$suite.tally" || { p=0 f=1; }
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
