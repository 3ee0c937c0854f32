#!/usr/bin/env bash
# badinput.sh - bad configurations: exit 2, file:line:column, no signal, within 100 ms.
#
# tests/badinput/*.yaml begin with comments:
#     # expect: 12:9: error: unknown key 'rtl'      in the errors: place in this file, and words
#     # expect: did you mean                         without a place
# several such lines: several errors in one pass. Files that git or an editor would spoil (empty,
# huge, NUL bytes, unreadable) are made here. Each file is one case.
# Environment: RAILSIM (./railsim), BADINPUT_MS (100; best of eight tries, the machine may be busy).
set -u
cd "$(dirname "$0")/.." || exit 2
railsim=$(realpath "${RAILSIM:-./railsim}")
export RAILSIM_DATA=${RAILSIM_DATA:-$PWD} LC_ALL=C
limit_ms=${BADINPUT_MS:-100}
scratch=$(mktemp -d) || exit 2
trap 'chmod -R u+rwx "$scratch"; rm -rf "$scratch"' EXIT
passed=0 failed=0

# try LABEL CODE EXPECTATIONS ARGUMENT...: runs railsim; EXPECTATIONS are lines.
try() {
    local label=$1 code=$2 expectations=$3 rc ms best=999999 start end why='' line
    shift 3
    for _ in 1 2 3 4 5 6 7 8; do
        start=$EPOCHREALTIME
        timeout -k 1 20 "$railsim" "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
        rc=$?
        end=$EPOCHREALTIME
        ms=$(((${end/./} - ${start/./}) / 1000))
        [ $ms -lt $best ] && best=$ms
        [ $best -le "$limit_ms" ] && break
    done
    [ $rc -eq "$code" ] || why="exit $rc, expected $code"
    [ $best -le "$limit_ms" ] || why="$why; $best ms (limit $limit_ms)"
    [ -s "$scratch/stdout" ] && why="$why; wrote to stdout"
    [ -s "$scratch/stderr" ] || why="$why; said nothing"
    [ "$(grep -c 'error: ' "$scratch/stderr")" -le 21 ] || why="$why; more than 20 errors shown"
    while IFS= read -r line; do
        [ -z "$line" ] || grep -qF -- "$line" "$scratch/stderr" || why="$why; not said: $line"
    done <<<"$expectations"
    if [ -z "$why" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf -- '--- %s: %s\n' "$label" "${why#; }"
        cut -c1-200 "$scratch/stderr" | head -20
    fi
}

for file in tests/badinput/*.yaml; do
    [ -e "$file" ] || continue
    expectations=$(sed -nE 's/^# expect: //p' "$file")
    if [ -z "$expectations" ]; then
        echo "--- $file: no '# expect:' line"
        failed=$((failed + 1))
        continue
    fi
    # A place is a place in this file.
    expectations=$(sed -E "s|^([0-9]+:[0-9]+: )|$file:\1|" <<<"$expectations")
    try "$file" 2 "$expectations" check "$file"
done

cd "$scratch" || exit 2
yaml() { printf '%b' "$2" >"$1.yaml"; }
repeat() { head -c "$2" /dev/zero | tr '\0' "$1"; }

: >empty.yaml
try 'empty file' 2 'empty.yaml:' check empty.yaml
yaml nul 'a: b\n\0c: d\n'
try 'NUL byte' 2 'nul.yaml:2:1: error' check nul.yaml
repeat '[' 50000 >deep.yaml
try '50,000 open brackets' 2 'deep.yaml:1:65: error' check deep.yaml
{ echo 'a: b'; repeat 'x' 17000000; } >huge.yaml
try '17 MB' 2 'huge.yaml: error' check huge.yaml
{ for i in $(seq 1 30); do echo "key$i: 1"; done; } >many.yaml
try 'thirty unknown keys' 2 'more' check many.yaml
try 'missing file' 2 'none.yaml: error' check none.yaml
mkdir folder.yaml
try 'a folder' 2 'folder.yaml: error' check folder.yaml
mkfifo fifo.yaml
try 'a named pipe' 2 'fifo.yaml: error' check fifo.yaml
try 'a device' 2 '/dev/zero: error' check /dev/zero
if [ "$(id -u)" -ne 0 ]; then
    yaml secret 'a: b\n'
    chmod 000 secret.yaml
    try 'no permission' 2 'secret.yaml: error' check secret.yaml
fi

echo "$passed passed, $failed failed"
