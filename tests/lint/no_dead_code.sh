#!/usr/bin/env bash
# no_dead_code.sh DIR - every function is reached from main; no leftovers in the text.
#
# DIR holds the objects of the whole program, compiled with -O0 -ffunction-sections: the linker's
# garbage collection then names each function that only a test, or nobody, calls.
# In the text: TODO, FIXME, XXX (NEEDSWORK marks an open decision), #if 0, commented-out code and
# tabs are refused.
set -u
build=$(realpath "${1:?usage: no_dead_code.sh BUILD}")
cd "${LINT_ROOT:-$(dirname "$0")/../..}" || exit 2
cc=${CC:-gcc}
bad=0

objects=$(find "$build/sim" "$build/models" -name '*.o' 2>/dev/null | LC_ALL=C sort)
[ -n "$objects" ] || { echo "no_dead_code: no objects in $build"; exit 1; }
log=$build/gc-sections.log
# shellcheck disable=SC2086 # LDLIBS is a list
if ! $cc -Wl,--gc-sections,--print-gc-sections -o "$build/gc-sections.out" $objects \
    ${LDLIBS--lgsl -lgslcblas -lyaml -lsqlite3 -lmd -lm} 2>"$log"; then
    cat "$log"
    echo 'no_dead_code: the program does not link'
    exit 1
fi
while read -r name object; do
    file=${object#"$build/"}
    file=${file%.o}.c
    line=$(grep -nE "(^|[ *])$name\(" "$file" | head -1 | cut -d: -f1)
    echo "$file:${line:-1}: $name is never reached from main"
    bad=$((bad + 1))
done < <(sed -nE "s/.*removing unused section '\.text\.([A-Za-z0-9_]+)' in file '(.*)'/\1 \2/p" \
    "$log" | grep -F " $build/")

refuse() { # refuse WHY PATTERN FILE...: each line that matches is a violation
    local why=$1 pattern=$2 hit
    shift 2
    while IFS= read -r hit; do
        [ -z "$hit" ] && continue
        echo "$(cut -d: -f1,2 <<<"$hit"): $why: $(cut -d: -f3- <<<"$hit" | sed 's/^[ \t]*//')"
        bad=$((bad + 1))
    done < <(grep -nHE "$pattern" "$@" /dev/null)
}
mapfile -t code < <(find sim models tests -name '*.[ch]' | LC_ALL=C sort)
mapfile -t text < <(find sim models tests topologies workloads plots .ci -type f \
    ! -path 'tests/lint/*' ! -path 'tests/badinput/*' ! -path 'tests/fuzz/corpus/*' 2>/dev/null |
    grep -E '(\.([ch]|sh|gp|yaml|t)|^\.ci/run)$' | LC_ALL=C sort)
refuse 'leftover mark (NEEDSWORK is for open decisions)' \
    '(^|[^A-Za-z_])(TODO|FIXME|XXX)($|[^A-Za-z_X])' "${text[@]}" Makefile
refuse 'tab' $'\t' "${text[@]}"
refuse 'switched-off code' '^[[:space:]]*#[[:space:]]*if[[:space:]]+0' "${code[@]}"
# A comment line that is a statement: a call, an assignment, a return or a control head.
name='[A-Za-z_][][A-Za-z0-9_>.-]*'
statement="$name ?(\(.*\)|[-+*/|&]?=[^=].*)|return( [^;]*)?|break|continue|goto $name"
head='(if|for|while|switch) \(.*\) \{'
refuse 'commented-out code' "^ *(// *|/\* *|\* +)(($statement);|$head) *(\*/)? *\$" "${code[@]}"

[ $bad -eq 0 ] && echo 'no_dead_code: ok' || { echo "no_dead_code: $bad violations"; exit 1; }
