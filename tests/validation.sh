#!/usr/bin/env bash
# validation.sh - `railsim validate`: each row of tests/validation/ is one case; and the tables in
# docs/validation.md and README.md are what it says now (`make docs`).
set -u
cd "$(dirname "$0")/.." || exit 2
railsim=${RAILSIM:-./railsim}
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
rows=$out/rows.md
timeout -k 5 "${VALIDATE_TIMEOUT:-200}" "$railsim" validate --markdown >"$rows" </dev/null
rc=$?
# The first table sums up; behind it each row of a table with a number in it is one published value.
all=$(sed '1,/^$/d' "$rows" | grep -cE '^\| .*(calibrated|predicted) \|')
failed=$(sed '1,/^$/d' "$rows" | grep -cE '^\| .*\*\*failed\*\*')
if [ "$failed" -ne 0 ] || [ $rc -ne 0 ] || [ "$all" -eq 0 ]; then
    sed '1,/^$/d' "$rows" | grep -F '**failed**'
    echo "railsim validate: exit $rc"
    [ "$failed" -eq 0 ] && failed=1 all=$((all + 1)) # table and exit code differ
fi
same() { # same WHAT OLD NEW: the generated rows are what the document holds
    all=$((all + 1))
    diff "$2" "$3" | head -20 | { ! grep .; } && return
    failed=$((failed + 1))
    echo "--- $1 is old: make docs"
}
tail -n +3 docs/validation.md >"$out/old-rows.md"
same docs/validation.md "$out/old-rows.md" "$rows"
sed -n '/<!-- validation:begin -->/,/<!-- validation:end -->/{ /<!-- validation:/!p }' README.md \
    >"$out/old-summary.md"
sed '/^$/,$d' "$rows" >"$out/summary.md"
same "the table of README.md" "$out/old-summary.md" "$out/summary.md"
echo "$((all - failed)) passed, $failed failed"
