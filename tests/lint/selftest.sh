#!/usr/bin/env bash
# selftest.sh - each lint rule can fail: a small tree that passes, then one violation at a time.
set -u
lint=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
export LINT_ROOT=$tree
passed=0 failed=0
cd "$tree" || exit 2
cp "$lint/../../.clang-format" .

fresh() { # a tree without a violation
    rm -rf sim models tests build
    mkdir -p sim/base sim/engine sim/io sim/app models/topo models/work models/net models/flow \
        models/storage tests/unit
    echo '/* m.c */' >Makefile
    printf '#include <stdio.h>\n\nvoid base_say(void);\n' >sim/base/base.h
    cat >sim/base/base.c <<'C'
#include "sim/base/base.h"

static const char *const base_words[] = {"a", "b"};

void base_say(void)
{
    puts(base_words[0]); /* W = min(a, b), and a sentence that ends here; */
}
C
    cat >sim/app/main.c <<'C'
#include "sim/base/base.h"

int main(void)
{
    base_say();
    return 0;
}
C
    echo '/* the clock */' >sim/engine/sim.h
    echo '#include "sim/engine/sim.h"' >models/work/clocked.h
    echo '#include "sim/base/base.h"' >models/topo/topo_a.c
}
objects() {
    find sim models -name '*.c' | while read -r file; do
        mkdir -p "build/${file%/*}"
        gcc -O0 -ffunction-sections -fno-common -I. -c -o "build/${file%.c}.o" "$file" || exit 1
    done
}
rule() { # rule NAME: runs the lint called NAME
    case $1 in
    no_globals) objects && "$lint/no_globals.sh" build ;;
    no_dead_code) objects && LDLIBS='' "$lint/no_dead_code.sh" build ;;
    *) "$lint/$1.sh" ;;
    esac
}
clean() { # clean NAME: must find nothing
    local text
    if text=$(rule "$1" 2>&1) && [ "$text" = "$1: ok" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf -- '--- %s finds something in the clean tree:\n%s\n' "$1" "$text"
    fi
}
# breaks NAME FILE WORDS: with standard input appended to FILE, the lint fails and says WORDS.
breaks() {
    local text
    mkdir -p "$(dirname "$2")"
    cat >>"$2"
    if ! text=$(rule "$1" 2>&1) && grep -qE "^$2:[0-9]+:.*$3" <<<"$text"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf -- '--- %s overlooks in %s: %s\n%s\n' "$1" "$2" "$3" "$text"
    fi
    fresh
}
fresh
for name in floors no_globals no_dead_code limits format; do clean $name; done

breaks floors sim/base/base.c 'may not include' <<<'#include "sim/engine/sim.h"'
breaks floors sim/engine/sim.h 'may not include' <<<'#include "sim/io/tree.h"'
breaks floors sim/io/tree.c 'may not include' <<<'#include "sim/engine/sim.h"'
breaks floors models/work/train.c 'may not include' <<<'#include "sim/io/tree.h"'
breaks floors models/work/train.c 'may not include' <<<'#include "models/net/packet.h"'
breaks floors models/storage/wan.c 'may not include' <<<'#include "models/flow/flow.h"'
breaks floors models/world.c 'may not include' <<<'#include "sim/app/point.h"'
breaks floors models/net/rdma.c 'is an algorithm' <<<'#include "models/cc/cc_dcqcn.h"'
breaks floors sim/app/main.c 'belongs in sim/io/results.c' <<<'#include <sqlite3.h>'
breaks floors sim/engine/stats.c 'belongs in sim/engine/rng.c' <<<'#include <gsl/gsl_rng.h>'
breaks floors sim/io/tree.c 'neither libc nor' <<<'#include <jansson.h>'
breaks floors models/topo/topo_a.c 'reaches sim/engine/sim.h' <<<'#include "models/work/clocked.h"'
breaks floors models/flow/maxmin.h 'reaches sim/engine/sim.h' <<<'#include "sim/engine/sim.h"'

breaks no_globals sim/base/base.c "'counter'" <<<'int counter = 1;'
breaks no_globals sim/base/base.c "'hidden" <<'C'
int next(void);
int next(void)
{
    static int hidden;
    return hidden++;
}
C
breaks no_globals sim/base/base.c "'perthread'" <<<'_Thread_local int perthread;'

breaks no_dead_code sim/base/base.c 'base_unused is never reached' <<'C'
int base_unused(void);
int base_unused(void)
{
    return 0;
}
C
breaks no_dead_code sim/base/base.c 'leftover' <<<"/* TO""DO: later */"
breaks no_dead_code sim/base/base.c 'commented-out' <<<'/* base_say(); */'
breaks no_dead_code sim/base/base.c 'commented-out' <<<'// x->y = 3;'
breaks no_dead_code sim/base/base.c 'switched-off' <<<$'#if 0\n#endif'
breaks no_dead_code sim/base/base.c 'tab' <<<$'/*\tx */'

{ printf 'int f(void)\n{\n'; yes '    g();' | head -70; echo '}'; } |
    breaks limits sim/base/long.c 'f has 72 lines'
yes 'int x;' | head -501 | breaks limits sim/base/big.c 'file of 501 lines'
breaks limits sim/base/wide.c 'more than 100 characters' \
    <<<"int $(head -c 100 /dev/zero | tr '\0' x);"
breaks limits sim/base/many.c 'f has 6 parameters' <<'C'
static int f(int a, int (*b)(int, int), int c,
             int d, int e, int g)
{
    return a;
}
C
breaks format sim/base/base.c 'not as .clang-format' <<<'int  f( void );'
breaks format tests/bad.sh 'warning' <<<$'#!/bin/sh\nunused=1'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
