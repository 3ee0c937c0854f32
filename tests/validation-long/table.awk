# table.awk PUBLISHED.csv SIMULATED.csv - the comparison as Markdown; exit code 4 if it fails.
#
# Cells: simulated against published within 15 %. Order: two schemes whose published values differ by
# more than the reading error of both (4 % each) must come in the published order at that size.
BEGIN {
    FS = ","
    tolerance = 0.15
    reading = 0.04
}
/^#/ { next }
/^cc,/ {
    for (i = 2; i <= NF; i++) size[i] = $i
    columns = NF
    next
}
FNR == NR {
    for (i = 2; i <= NF; i++) published[$1, i] = $i
    next
}
{
    name[++n] = $1
    for (i = 2; i <= NF; i++) got[$1, i] = $i
}
function bytes(b) { return b >= 1e6 ? b / 1e6 "M" : b / 1e3 "K" }
END {
    printf "| scheme | |"
    for (i = 2; i <= columns; i++) printf " %s |", bytes(size[i])
    printf "\n|---|---|"
    for (i = 2; i <= columns; i++) printf "---|"
    print ""
    for (s = 1; s <= n; s++) {
        printf "| %s | published |", name[s]
        for (i = 2; i <= columns; i++) printf " %.2f |", published[name[s], i]
        printf "\n| | simulated |"
        for (i = 2; i <= columns; i++) printf " %.2f |", got[name[s], i]
        printf "\n| | error |"
        for (i = 2; i <= columns; i++) {
            error = got[name[s], i] / published[name[s], i] - 1
            cells++
            if (error <= tolerance && error >= -tolerance) {
                within++
                printf " %+.0f %% |", 100 * error
            } else {
                misses = misses sprintf("%s %s at %s (%+.1f %%)", misses ? "," : "", name[s], \
                                        bytes(size[i]), 100 * error)
                printf " **%+.0f %%** |", 100 * error
            }
        }
        print ""
    }
    for (i = 2; i <= columns; i++) {
        for (a = 1; a <= n; a++) {
            for (b = 1; b <= n; b++) {
                p = published[name[a], i]
                q = published[name[b], i]
                if (p * (1 + reading) >= q * (1 - reading)) continue
                pairs++
                if (got[name[a], i] < got[name[b], i]) {
                    ordered++
                } else {
                    wrong = wrong sprintf("%s %s < %s at %s (published %.2f < %.2f, simulated %.2f, %.2f)", \
                                          wrong ? "," : "", name[a], name[b], bytes(size[i]), p, q, \
                                          got[name[a], i], got[name[b], i])
                }
            }
        }
    }
    printf "\nWithin 15 %%: %d of %d cells.%s\n", within, cells, misses ? " Outside:" misses "." : ""
    printf "Order: %d of %d pairs of schemes that the figures tell apart.%s\n", ordered, pairs, \
        wrong ? " Wrong:" wrong "." : ""
    exit within == cells && ordered == pairs ? 0 : 4
}
