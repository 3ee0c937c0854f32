#!/usr/bin/env bash
# run.sh [--update] [FILE.t...] - play command-line transcripts and compare every byte.
#
#     # a comment line; "\#" begins an expected line that starts with "#"
#     $ railsim check topologies/remote-storage.yaml      a command, for bash
#     exactly what it prints, stdout and stderr together
#     took * s (glob)                                      a line with * and ? as wildcards
#     ...                                                  any number of lines
#     [2]                                                  the exit code, when it is not 0
#
# Each transcript runs in a scratch folder of its own, with copies of topologies/, workloads/,
# plots/, tests/validation/, tests/badinput/ and railsim; `railsim` and `./railsim` both work, files
# that a command writes vanish afterwards. --update writes what was got into the transcripts.
# Environment: RAILSIM, the program to test (./railsim). One transcript is one case.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
railsim=$(realpath "${RAILSIM:-$root/railsim}")
update=
[ "${1:-}" = --update ] && { update=1; shift; }
files=("$@")
[ ${#files[@]} -eq 0 ] && { shopt -s nullglob; files=("$root"/tests/cli/*.t); }
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
for name in "${!RAILSIM_@}"; do unset "$name"; done # options of the user's shell
path=$PATH
export TERM=dumb LC_ALL=C.UTF-8 COLUMNS=100 TZ=UTC
unset CDPATH

# same EXPECTED GOT: does one line fit?
same() {
    [ "$1" = "$2" ] && return 0
    # shellcheck disable=SC2053 # the right-hand side is meant as a pattern
    case $1 in *' (glob)') [[ $2 == ${1% (glob)} ]] && return 0 ;; esac
    return 1
}

# fit: puts into fitted[] the lines of got[] with the wildcards of expected[] where they hold.
fit() {
    fitted=()
    local e=0 g=0
    while [ $g -lt ${#got[@]} ] || [ $e -lt ${#expected[@]} ]; do
        if [ $e -lt ${#expected[@]} ] && [ "${expected[e]}" = ... ]; then
            fitted+=(...)
            e=$((e + 1))
            while [ $g -lt ${#got[@]} ]; do
                [ $e -lt ${#expected[@]} ] && same "${expected[e]}" "${got[g]}" && break
                g=$((g + 1))
            done
        elif [ $g -lt ${#got[@]} ]; then
            if [ $e -lt ${#expected[@]} ] && same "${expected[e]}" "${got[g]}"; then
                fitted+=("${expected[e]}")
            else
                fitted+=("${got[g]}")
            fi
            e=$((e + 1)) g=$((g + 1))
        else
            e=$((e + 1)) # expected more than came: the comparison shows it
        fi
    done
}

# play: runs $command with expected[] and appends what came to $out.
play() {
    local rc line
    mapfile -t got < <(
        cd "$here" || exit 1
        timeout -k 5 "${CLI_TIMEOUT:-60}" bash -c "$command" </dev/null 2>&1
        printf '\n[%d]' $?
    )
    rc=${got[-1]}
    unset 'got[-1]'
    # The line break before [N] is ours unless the output did not end with one.
    [ ${#got[@]} -gt 0 ] && [ -z "${got[-1]}" ] && unset 'got[-1]'
    [ "$rc" != '[0]' ] && got+=("$rc")
    fit
    for line in "${fitted[@]}"; do
        case $line in '#'*) line="\\$line" ;; esac
        printf '%s\n' "$line" >>"$out"
    done
}

passed=0 failed=0 n=0
for file in "${files[@]}"; do
    n=$((n + 1))
    here=$scratch/$n
    out=$scratch/$n.out
    mkdir -p "$here/tests"
    # A second name, not a symbolic link: it finds plots/ beside itself, as in the source tree.
    ln "$railsim" "$here/railsim" 2>/dev/null || cp "$railsim" "$here/railsim"
    PATH=$here:$path
    for dir in topologies workloads plots; do
        [ -d "$root/$dir" ] && cp -r "$root/$dir" "$here/"
    done
    [ -d "$root/tests/validation" ] && cp -r "$root/tests/validation" "$here/tests/"
    [ -d "$root/tests/badinput" ] && cp -r "$root/tests/badinput" "$here/tests/"
    : >"$out"
    command='' expected=()
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '$ '* | '#'*)
            [ -n "$command" ] && play
            command='' expected=()
            printf '%s\n' "$line" >>"$out"
            [ "${line:0:2}" = '$ ' ] && command=${line:2}
            ;;
        *)
            if [ -z "$command" ]; then printf '%s\n' "$line" >>"$out"; continue; fi
            case $line in '\#'*) line=${line:1} ;; esac
            expected+=("$line")
            ;;
        esac
    done <"$file"
    [ -n "$command" ] && play
    if cmp -s "$file" "$out"; then
        passed=$((passed + 1))
    elif [ -n "$update" ]; then
        cp "$out" "$file"
        echo "updated ${file#"$root/"}"
    else
        failed=$((failed + 1))
        diff -u --label "${file#"$root/"}: expected" --label got "$file" "$out"
    fi
    rm -rf "$here"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $((passed + failed)) -gt 0 ]
