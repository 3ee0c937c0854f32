#!/usr/bin/env bash
# deps.sh [--list] GROUP... - install the Debian packages that a group of targets needs.
#
# Says what it installs and why; prints nothing and takes a few milliseconds when all is there.
# --list installs nothing: it names what is missing and fails (plain `make` uses it).
# Groups: build run test lint fuzz coverage valgrind; each one names only what it adds.
set -u
cc=${CC:-gcc}
list=
[ "${1:-}" = --list ] && { list=1; shift; }

# package, then what must be there: a header <x.h> that the compiler finds, or a program.
needs() {
    case $1 in
    build) echo 'libc6-dev <stdio.h>
                 libgsl-dev <gsl/gsl_version.h>
                 libyaml-dev <yaml.h>
                 libsqlite3-dev <sqlite3.h>
                 libmd-dev <sha256.h>' ;;
    run) echo 'gnuplot-nox gnuplot' ;;
    test) echo 'libcmocka-dev <cmocka.h>
                procps pgrep
                sqlite3 sqlite3' ;;
    lint) echo 'clang clang
                clang-format clang-format
                shellcheck shellcheck' ;;
    fuzz) echo 'clang clang' ;;
    coverage) echo 'gcovr gcovr' ;;
    valgrind) echo 'valgrind valgrind' ;;
    *) echo "deps.sh: unknown group '$1'" >&2; exit 2 ;;
    esac
}

# cmocka.h wants these before it.
prologue='#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sys/types.h>'
found() {
    case $1 in
    '<'*) printf '%s\n#include %s\n' "$prologue" "$1" | $cc -E -o /dev/null -xc - 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=()
wanted=()
for group in "$@"; do
    rows=$(needs "$group") || exit 2
    # One run of the preprocessor for all headers: the usual case is that everything is there.
    headers=$(grep -o '<.*>' <<<"$rows" | sed 's/^/#include /')
    all_headers=1
    [ -n "$headers" ] && { printf '%s\n%s\n' "$prologue" "$headers" |
        $cc -E -o /dev/null -xc - 2>/dev/null || all_headers=; }
    while read -r package what; do
        case $what in '<'*) [ -n "$all_headers" ] && continue ;; esac
        found "$what" || { missing+=("$package"); wanted+=("$package (for $what)"); }
    done <<<"$rows"
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v "${cc%% *}" >/dev/null 2>&1; then
    echo "railsim needs a C17 compiler: '$cc' was not found (Debian: apt-get install gcc make)" >&2
    exit 1
fi
if [ -n "$list" ]; then
    { echo "railsim: missing ${wanted[*]}"
      echo "railsim: 'make deps' installs them"; } >&2
    exit 1
fi
manual="install by hand what stands for: ${missing[*]}"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "railsim: missing ${wanted[*]}; this is not a Debian (no apt-get): $manual" >&2
    exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        { echo "railsim: missing ${wanted[*]}"
          echo "railsim: neither root nor sudo; as root: apt-get install ${missing[*]}"; } >&2
        exit 1
    fi
    sudo=(sudo)
fi
echo "railsim: installing ${wanted[*]}"
apt() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=2 \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    { echo "railsim: apt-get failed (its words are above; no network, or no right to install?)"
      echo "railsim: by hand: apt-get update && apt-get install ${missing[*]}"; } >&2
    exit 1
fi
