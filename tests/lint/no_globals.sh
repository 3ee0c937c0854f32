#!/usr/bin/env bash
# no_globals.sh DIR - refuses writable data in the object files below DIR (sim/ and models/).
#
# struct sim * is handed on; a mutable static would tie two simulations together. Constant tables
# of pointers (.data.rel.ro) are fine. The one exception is the pointer that the engine lends to
# sim/base/check.c.
set -u
build=${1:?usage: no_globals.sh BUILD}
cd "$build" || exit 2
objects=$(find sim models -name '*.o' 2>/dev/null | LC_ALL=C sort)
[ -n "$objects" ] || { echo "no_globals: no objects in $build"; exit 1; }
bad=0
for object in $objects; do
    [ "$object" = sim/base/check.o ] && continue
    # objdump -t: address, seven flag letters, section, size, name; sections themselves have size 0.
    while read -r section size name; do
        [ $((16#$size)) -eq 0 ] && continue
        echo "${object%.o}.c:1: writable data '$name' in $section"
        bad=$((bad + 1))
    done < <(objdump -t "$object" |
        sed -nE 's/^[0-9a-f]{8,16} .{7} ([^ \t]+)\t([0-9a-f]+) +(.*)$/\1 \2 \3/p' |
        grep -E '^(\.t?data|\.t?bss|\*COM\*)' | grep -v '^\.data\.rel\.ro')
done
[ $bad -eq 0 ] && echo 'no_globals: ok' || { echo "no_globals: $bad violations"; exit 1; }
