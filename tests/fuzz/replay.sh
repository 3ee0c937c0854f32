#!/usr/bin/env bash
# replay.sh - plays the stored corpus through each fuzz target; each file is one case.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build/gcc-O2}
passed=0 failed=0
shopt -s nullglob
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    files=(tests/fuzz/corpus/"${name#fuzz_}"/*)
    [ ${#files[@]} -eq 0 ] && { echo "$source: no corpus"; failed=$((failed + 1)); continue; }
    # All files at once; one by one only if that fails, to name the guilty.
    if timeout -k 5 60 "$build/tests/fuzz/$name" "${files[@]}" >/dev/null 2>&1 </dev/null; then
        passed=$((passed + ${#files[@]}))
        continue
    fi
    for file in "${files[@]}"; do
        if log=$(timeout -k 5 10 "$build/tests/fuzz/$name" "$file" 2>&1 </dev/null); then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            printf -- '--- %s %s: exit %d\n%s\n' "$build/tests/fuzz/$name" "$file" $? "$log"
        fi
    done
done
echo "$passed passed, $failed failed"
