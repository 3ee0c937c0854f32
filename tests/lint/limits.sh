#!/usr/bin/env bash
# limits.sh - function <= 70 lines, file <= 500 lines, line <= 100 characters, parameters <= 5.
#
# Relies on the format that format.sh enforces: a function's braces stand alone in column 1, its
# head is the run of lines above them. A function's length is counted from brace to brace.
set -u
cd "${LINT_ROOT:-$(dirname "$0")/../..}" || exit 2
found=$(mktemp) || exit 2
trap 'rm -f "$found"' EXIT
mapfile -t code < <(find sim models tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
[ ${#code[@]} -gt 0 ] || { echo 'limits: no sources found'; exit 1; }
mapfile -t scripts < <(find tests .ci plots -name '*.sh' -o -name '*.gp' -o -path .ci/run \
    2>/dev/null | LC_ALL=C sort)

LC_ALL=C.UTF-8 grep -nHE '^.{101,}$' "${code[@]}" "${scripts[@]}" 2>/dev/null |
    sed -E 's/^([^:]*:[0-9]+):.*/\1: line of more than 100 characters/' >"$found"

awk '
function count_parameters(head,   i, c, depth, n, start, text) {
    # The parameter list is the first parenthesis after the name; attributes come before the type.
    gsub(/__attribute__[ ]*\(\([^)]*(\([^)]*\))*[^)]*\)\)/, "", head)
    start = index(head, "(")
    if (start == 0) return 0
    n = 1
    for (i = start; i <= length(head); i++) {
        c = substr(head, i, 1)
        if (c == "(") depth++
        if (c == ")" && --depth == 0) break
        if (c == "," && depth == 1) n++
    }
    return n
}
function end_of_file() {
    if (lines > 500) print file ":501: file of " lines " lines (at most 500): two concepts?"
}
FNR == 1 { if (file != "") end_of_file(); file = FILENAME; lines = 0; head = ""; open = 0 }
{ lines = FNR }
/^\{/ && head ~ /\)[ ]*$/ {
    open = FNR
    name = head; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
    n = count_parameters(head)
    if (n > 5) print file ":" head_line ": " name " has " n " parameters (at most 5)"
}
/^\}/ && open {
    if (FNR - open + 1 > 70)
        print file ":" head_line ": " name " has " FNR - open + 1 " lines (at most 70)"
    open = 0
}
open { next }
/^[A-Za-z_]/ && !/;[ ]*$/ && head == "" { head = $0; head_line = FNR; next }
/^[ ]*$/ || /[;}][ ]*$/ || /^[#\/]/ || /^ \*/ || /^\{/ { head = ""; next }
head != "" { sub(/^[ ]+/, " "); head = head $0; next }
END { end_of_file() }
' "${code[@]}" >>"$found"

for script in "${scripts[@]}"; do
    lines=$(wc -l <"$script")
    [ "$lines" -gt 500 ] && echo "$script:501: file of $lines lines (at most 500)" >>"$found"
done
cat "$found"
bad=$(wc -l <"$found")
[ "$bad" -eq 0 ] && echo 'limits: ok' || { echo "limits: $bad violations"; exit 1; }
