#!/usr/bin/env bash
# validation.sh - `railsim validate`: each row of tests/validation/ is one case.
set -u
cd "$(dirname "$0")/.." || exit 2
railsim=${RAILSIM:-./railsim}
json=$(mktemp) || exit 2
trap 'rm -f "$json"' EXIT
timeout -k 5 "${VALIDATE_TIMEOUT:-100}" "$railsim" validate --json >"$json" </dev/null
rc=$?
rows=$(sqlite3 -separator ' ' :memory: "SELECT coalesce(sum(value ->> 'pass' = 1), 0), count(*)
    FROM json_each(readfile('$json'), '\$.rows')") || { head -c 2000 "$json"; exit 1; }
read -r passed all <<<"$rows"
if [ "$passed" -ne "$all" ] || [ $rc -ne 0 ]; then
    sqlite3 -separator '  ' :memory: "SELECT value ->> 'name', 'expected', value ->> 'expected',
        'got', value ->> 'got', 'error', value ->> 'error', 'tolerance', value ->> 'tolerance'
        FROM json_each(readfile('$json'), '\$.rows') WHERE value ->> 'pass' IS NOT 1"
    echo "railsim validate: exit $rc"
    [ "$passed" -eq "$all" ] && all=$((all + 1)) # the table and the exit code contradict each other
fi
echo "$passed passed, $((all - passed)) failed"
