# A ring all-gather of 4 ranks: right, a hop too few, the wrong chunk passed on, nothing but nop.
$ echo 'ring() { echo "<algo proto=\"Simple\" nchannels=\"1\" nchunksperloop=\"4\" ngpus=\"4\" coll=\"allgather\" inplace=\"1\">"; for g in 0 1 2 3; do echo "<gpu id=\"$g\" i_chunks=\"0\" o_chunks=\"4\" s_chunks=\"0\"><tb id=\"0\" send=\"$(((g + 1) % 4))\" recv=\"$(((g + 3) % 4))\" chan=\"0\">"; n=0; for s in $1; do c=$(((g + ${s#*:}) % 4)); echo "<step s=\"$n\" type=\"${s%:*}\" srcbuf=\"o\" srcoff=\"$c\" dstbuf=\"o\" dstoff=\"$c\" cnt=\"1\" depid=\"-1\" deps=\"-1\" hasdep=\"0\"/>"; n=$((n + 1)); done; echo "</tb></gpu>"; done; echo "</algo>"; }; try() { ring "$1" > ring.xml; railsim collective topologies/gmo-1su.yaml --ranks 4 --op all_gather --algorithm ring.xml --bytes 64KiB | tail -n 1; return ${PIPESTATUS[0]}; }' > ring.sh
$ . ./ring.sh; try 's:0 rcs:3 rcs:2 r:1'
* msccl        simple             12 (glob)
$ . ./ring.sh; try 's:0 rcs:3 r:2'
--algorithm ring.xml: error: C048: ring.xml:2:1: error: C136: chunk 1 of the output of gpu 0 holds nothing; all_gather wants chunk 0 of gpu 1; 3 more are wrong
[2]
$ . ./ring.sh; try 's:0 r:3 s:0 r:2 s:2 r:1'
--algorithm ring.xml: error: C048: ring.xml:8:1: error: C136: chunk 1 of the output of gpu 0 holds chunk 0 of gpu 2; all_gather wants chunk 0 of gpu 1; 7 more are wrong
[2]
$ . ./ring.sh; try 'nop:0'
--algorithm ring.xml: error: C048: ring.xml:2:1: error: C136: chunk 1 of the output of gpu 0 holds nothing; all_gather wants chunk 0 of gpu 1; 11 more are wrong
[2]
# What it is for must divide the chunks; of `custom` nobody knows what it should deliver.
$ . ./ring.sh; ring 's:0 r:3' | sed 's/nchunksperloop="4"/nchunksperloop="5"/; s/o_chunks="4"/o_chunks="5"/' > five.xml; printf 'kind: collective\nop: all_gather\nsize: 1MiB\nfile: five.xml\n' > five.yaml; railsim check five.yaml
five.yaml:4:7: error: C048: five.xml:2:1: error: C137: 5 chunks (nchunksperloop) are no equal shares of 4 GPUs
  file: five.xml
        ^
[2]
$ . ./ring.sh; ring 'nop:0' | sed 's/allgather/custom/' > custom.xml; railsim collective topologies/gmo-1su.yaml --ranks 4 --op all_gather --algorithm custom.xml
custom.xml: error: C048: its operation is custom, which railsim has not
[2]
# Larger than can be tried is run all the same.
$ echo '<algo proto="Simple" nchannels="1" nchunksperloop="16777216" ngpus="1" coll="allreduce" inplace="0"><gpu id="0" i_chunks="16777216" o_chunks="16777216" s_chunks="0"/></algo>' > large.xml; printf 'kind: collective\nsize: 16MiB\nfile: large.xml\n' > large.yaml; railsim check large.yaml
note: large.xml is too large to check what it delivers
large.yaml: ok (workload)
# Writers of a checkpoint draw, in lanes of their own.
$ railsim run topologies/local-storage.yaml workloads/dlio-unet3d.yaml --set workload.epochs=1 --set workload.dataset.files=336 --set workload.dataset.records=336 --set workload.checkpoint.every_steps=3 --timeline t.json > /dev/null; sqlite3 :memory: "CREATE TABLE s AS SELECT e.value->>'pid' AS p, e.value->>'tid' AS t, e.value->>'name' AS n, e.value->>'ts' AS a, (e.value->>'ts') + (e.value->>'dur') AS b, e.value->>'$.args.bytes' AS y FROM json_each(readfile('t.json'), '$.traceEvents') AS e WHERE e.value->>'ph' = 'X'; SELECT n, count(*), count(DISTINCT t), sum(y) FROM s WHERE n IN ('write', 'read') GROUP BY 1; SELECT count(*) FROM s x JOIN s y ON x.p = y.p AND x.t = y.t AND x.a < y.a AND y.a < x.b - 1e-3"
read|343|32|492578000000
write|16|8|998306382
0
