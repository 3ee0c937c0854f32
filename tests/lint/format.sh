#!/usr/bin/env bash
# format.sh [--fix] - clang-format over all C files, shellcheck over all scripts.
set -u
cd "${LINT_ROOT:-$(dirname "$0")/../..}" || exit 2
mapfile -t code < <(find sim models tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
[ ${#code[@]} -gt 0 ] || { echo 'format: no sources found'; exit 1; }
if [ "${1:-}" = --fix ]; then
    clang-format -i "${code[@]}"
    exit
fi
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
bad=0
clang-format --dry-run -Werror "${code[@]}" >"$log" 2>&1 || {
    # One line per place is enough.
    awk -F: '/error:/ && !seen[$1, $2]++ { print $1 ":" $2 ": not as .clang-format" }' "$log" |
        tee "$log.lines"
    bad=$(wc -l <"$log.lines")
    rm -f "$log.lines"
    [ "$bad" -gt 0 ] || { cat "$log"; bad=1; }
    echo "format: 'make format' repairs this"
}
mapfile -t scripts < <({ find tests -name '*.sh'; find .ci -name run -type f; } 2>/dev/null |
    LC_ALL=C sort)
if [ ${#scripts[@]} -gt 0 ]; then
    shellcheck --severity=warning --format=gcc "${scripts[@]}" >"$log" 2>&1 || {
        cat "$log"
        bad=$((bad + $(grep -c . "$log")))
    }
fi
[ $bad -eq 0 ] && echo 'format: ok' || { echo "format: $bad violations"; exit 1; }
