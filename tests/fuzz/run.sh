#!/usr/bin/env bash
# run.sh SECONDS - fuzzes each target for SECONDS, from the stored corpus; findings stay in $BUILD.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=${1:?usage: run.sh SECONDS}
build=${BUILD:?set by the Makefile}
passed=0 failed=0
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    mkdir -p "$build/corpus/$name" "$build/found/$name" "tests/fuzz/corpus/${name#fuzz_}"
    echo "$name: $seconds s (log: $build/$name.log)"
    if "$build/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1 -artifact_prefix="$build/found/$name/" \
        "$build/corpus/$name" "tests/fuzz/corpus/${name#fuzz_}" >"$build/$name.log" 2>&1; then
        passed=$((passed + 1))
        grep -E 'number_of_executed_units|peak_rss' "$build/$name.log"
    else
        failed=$((failed + 1))
        tail -40 "$build/$name.log"
        echo "$name: keep the file as tests/fuzz/corpus/${name#fuzz_}/WHAT once it is repaired"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
