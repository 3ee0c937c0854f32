#!/usr/bin/env bash
# floors.sh - who may include whom (house rules): floors, pure contracts, third-party headers.
#
# Works on the text of the #include lines; only the purity of contracts, which may be broken by a
# header's header, asks the compiler (cc -MM). Violations as file:line: message.
set -u
cd "${LINT_ROOT:-$(dirname "$0")/../..}" || exit 2
cc=${CC:-gcc}
gen=$(mktemp -d) || exit 2
trap 'rm -rf "$gen"' EXIT
# Generated headers: their content includes nothing.
mkdir "$gen/gen" && touch "$gen/gen/plugins.h" "$gen/gen/version.h" "$gen/gen/catalogue.h"
bad=0
say() { echo "$*"; bad=$((bad + 1)); }

libc='assert ctype dirent errno fcntl fenv float fnmatch getopt glob inttypes libgen limits locale
malloc math poll pthread pwd sched setjmp signal spawn stdalign stdarg stdatomic stdbool stddef
stdint stdio stdlib stdnoreturn string strings termios time unistd utime wchar cpuid'
libc="^(${libc//[$' \n']/|}|sys/[a-z]+|linux/[a-z]+|gnu/libc-version)\.h\$"

# The one home of each third-party header.
third_party_home() {
    case $1 in
    yaml.h) echo 'sim/io/tree.c' ;;
    sqlite3.h) echo 'sim/io/results.c' ;;
    gsl/gsl_rng.h | gsl/gsl_randist.h | gsl/gsl_qrng.h) echo 'sim/engine/rng.c' ;;
    gsl/*) echo 'sim/engine/rng.c sim/engine/stats.c sim/engine/fit.c' ;;
    sha256.h) echo 'sim/app/point.c' ;;
    esac
}

ground='sim/(base|engine)/|sim/io/schema\.h$|(gen/)?plugins\.h$' # what models stand on
# What a file may include with quotes, as a pattern.
floor_of() {
    case $1 in
    sim/base/*) echo '^sim/base/' ;;
    sim/engine/*) echo '^sim/(base|engine)/' ;;
    sim/io/*) echo '^sim/(base|io)/' ;;
    sim/app/*) echo '^(sim/(base|engine|io|app)/|models/|(gen/)?(version|plugins|catalogue)\.h$)' ;;
    models/work/* | models/storage/*) # they talk to fabric.h and never see a packet or a flow
        echo "^($ground|models/([a-z0-9_]+\.h|(work|storage|coll)/))" ;;
    models/replay/*) # it talks to the executor and to collectives, whatever the fabric
        echo "^($ground|models/([a-z0-9_]+\.h|(replay|trace|step|cluster|coll)/))" ;;
    models/*) echo "^($ground|models/)" ;;
    esac
}

# A header that only its own algorithm may include: contracts are for everybody else.
algorithm='^models/(cc/cc|route/route|coll/coll|topo/topo|storage/client|storage/tcp_law)_'

files=$(find sim models -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || { echo 'floors: no sources found'; exit 1; }
while IFS=: read -r file line text; do
    case $text in
    *'<'*)
        header=${text#*<} header=${header%%>*}
        home=$(third_party_home "$header")
        if [ -n "$home" ]; then
            case " $home " in *" $file "*) ;; *)
                say "$file:$line: <$header> belongs in $home only" ;;
            esac
        elif ! [[ $header =~ $libc ]]; then
            say "$file:$line: <$header> is neither libc nor a known library (tests/lint/floors.sh)"
        fi
        ;;
    *'"'*)
        header=${text#*\"} header=${header%%\"*}
        [[ $header =~ $(floor_of "$file") ]] ||
            say "$file:$line: ${file%/*} may not include $header"
        if [[ $header =~ $algorithm ]] && [ "${header%.h}" != "${file%.[ch]}" ]; then
            say "$file:$line: $header is an algorithm: include its contract"
        fi
        ;;
    *) say "$file:$line: an #include without a name" ;;
    esac
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' $files)

for file in $files; do
    case $file in
    models/cc/* | models/coll/* | models/topo/* | models/flow/maxmin.* | models/storage/tcp_law*)
        forbidden='sim/engine/sim\.h|models/net/[^ ]*' ;;
    models/route/*) forbidden='sim/engine/(sim|stats|trace|fit)\.h|models/net/[^ ]*' ;;
    *) continue ;;
    esac
    deps=$($cc -std=c17 -D_GNU_SOURCE -I. -I"$gen" -I"$gen/gen" -MM -xc "$file") ||
        { say "$file:1: $cc -MM failed"; continue; }
    for dep in $(grep -oE "(^| )($forbidden)( |\$)" <<<"${deps//\\/ }"); do
        say "$file:1: a pure contract reaches $dep"
    done
done

[ $bad -eq 0 ] && echo 'floors: ok' || { echo "floors: $bad violations"; exit 1; }
