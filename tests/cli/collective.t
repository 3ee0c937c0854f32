# nccl-tests' table: one size, several, what is chosen.
$ railsim collective topologies/gmo-1su.yaml --ranks 8 --algorithm ring --protocol simple --from 1MiB --to 1GiB --factor 32
          size     time(us)  algbw(GB/s)  busbw(GB/s)  algorithm    protocol     messages
       1048576        66.62       15.741       27.546  ring         simple           1792
      33554432       178.55      187.932      328.881  ring         simple           3584
    1073741824      5197.55      206.586      361.526  ring         simple          14336
$ railsim collective topologies/gmo-1su.yaml --ranks 16 --op all_to_all --bytes 16MiB
          size     time(us)  algbw(GB/s)  busbw(GB/s)  algorithm    protocol     messages
      16777216       194.38       86.311       80.917  pairwise     simple            240
$ railsim collective topologies/gmo-1su.yaml --ranks 16 --op send_recv --bytes 16MiB --fabric packet
          size     time(us)  algbw(GB/s)  busbw(GB/s)  algorithm    protocol     messages
      16777216       375.98       44.623       44.623  pairwise     simple            256
# With an accelerator that NCCL knows, its tuner chooses.
$ railsim collective topologies/gmo-1su.yaml --ranks 16 --from 1MiB --to 256MiB --factor 16 --set node.accelerator=h100-sxm
          size     time(us)  algbw(GB/s)  busbw(GB/s)  algorithm    protocol     messages
       1048576        97.67       10.736       20.131  tree         ll128             960
      16777216       193.71       86.610      162.394  nvls_tree    simple           9728
     268435456      1203.49      223.047      418.214  nvls_tree    simple          77824
$ railsim collective topologies/gmo-1su.yaml --ranks 8 --bytes 64MiB --json | sed -E 's/"(events|run_cpu_s|peak_rss_bytes)": [0-9.e-]+/"\1": 0/g'
{
  "schema_version": 1,
  "sizes": [
    {"bytes": 67108864, "status": "ok", "message": "", "op": "all_reduce", "algorithm": "nvls", "protocol": "simple", "time_s": 0.000321060427, "algbw_Bps": 209022533941.8738, "busbw_Bps": 365789434398.2792, "messages": 18432, "events": 0, "run_cpu_s": 0, "peak_rss_bytes": 0}
  ]
}
# The same by run.
$ railsim run topologies/gmo-1su.yaml workloads/all-reduce.yaml --set workload.ranks=16 --set workload.algorithm=tree | grep all_reduce
all_reduce tree simple            0 s   0.007052 s  
# Mistakes.
$ railsim collective topologies/gmo-1su.yaml --op all_reduse
--op all_reduse: error: 'op' cannot be 'all_reduse': allowed: all_reduce, all_gather, reduce_scatter, broadcast, all_to_all, send_recv (did you mean 'all_reduce'?)
[2]
$ railsim collective topologies/gmo-1su.yaml --ranks 300
--ranks 300: error: C051: the workload needs 300 GPUs, the topology has 256
[2]
$ railsim collective topologies/gmo-1su.yaml --set node.nvlink_domain=24
error: C054: 256 GPUs do not fill NVLink domains of 24
[2]
$ railsim collective topologies/gmo-1su.yaml --bytes 1MiB --to 2MiB
error: --bytes is one size, --from and --to are several
[2]
$ railsim collective topologies/gmo-1su.yaml --from 2MiB --to 1MiB
error: --to must be at least --from
[2]
$ railsim collective topologies/gmo-1su.yaml --from 1MiB
error: --to is missing: --from is the first of several sizes, --to the last (--bytes is one size)
[2]
$ railsim collective topologies/gmo-1su.yaml --channels 0x --fabric paket --bytes 1MiB
--fabric paket: error: 'network.model' cannot be 'paket': allowed: flow, packet (did you mean 'packet'?)
--channels 0x: error: 'channels' cannot be '0x': a count is a whole number without a unit
[2]
$ for a in --bytes --from; do railsim collective topologies/gmo-1su.yaml $a 2TiB $([ $a = --from ] && echo --to 4TiB); done
--bytes 2199023255552B: error: 'size' cannot be '2199023255552B': allowed: 1B .. 1TiB
--from 2199023255552B: error: 'size' cannot be '2199023255552B': allowed: 1B .. 1TiB
[2]
# A file that is shipped is found by its name, from any folder.
$ mkdir -p away; cd away; railsim collective topologies/aws-p5-2.yaml --ranks 4 --algorithm workloads/all-pairs.xml --bytes 1MiB | tail -n 1
       1048576        20.22       51.852       77.778  all_pairs    ll                 24
$ mkdir -p away; cd away; printf 'kind: trace\nformat: goal\nfile: workloads/pipeline.goal\n' > t.yaml; railsim run topologies/aws-p5-2.yaml t.yaml | grep status; railsim run topologies/aws-p5-2.yaml t.yaml --set workload.file=workloads/pipline.goal
status           ok
--set workload.file=workloads/pipline.goal: error: C047: cannot read workloads/pipline.goal: No such file or directory
[2]
$ railsim collective topologies/gmo-1su.yaml --algorithm nvls --bytes 1MiB
--algorithm nvls: error: C055: algorithm nvls: it works inside one NVLink domain; nvls_tree joins several
[2]
$ railsim collective topologies/gmo-1su.yaml --algorithm halving --ranks 24 --bytes 1MiB
--algorithm halving: error: C055: algorithm halving: it needs a power of two of ranks
[2]
$ railsim collective topologies/gmo-1su.yaml --algorithm ring --op all_to_all --bytes 1MiB
--algorithm ring: error: C055: algorithm ring: it cannot do all_to_all; those that can: pairwise
[2]
$ railsim collective topologies/gmo-1su.yaml --algorithm sharp --fabric packet --bytes 1MiB
--algorithm sharp: error: C056: algorithm sharp adds in switches: only with network.model: flow
[2]
$ railsim collective topologies/gmo-1su.yaml --max-events 1000
topologies/gmo-1su.yaml workloads/all-reduce.yaml workload.size=1073741824B: max-events: stopped by --max-events at 4.31729e-05 s simulated, after 1000 events
[1]
# What the machine or NCCL does not have: asked before the run.
$ railsim collective topologies/gmo-1su.yaml --algorithm nvls --ranks 8 --bytes 1MiB --set node.accelerator=a100-sxm
--algorithm nvls: error: C121: algorithm nvls adds in NVSwitches; those of these accelerators cannot (node.device.in_switch_reduction)
[2]
$ railsim collective topologies/dgx-a100-64.yaml --algorithm nvls_tree --bytes 1MiB
--algorithm nvls_tree: error: C121: algorithm nvls_tree adds in NVSwitches; those of these accelerators cannot (node.device.in_switch_reduction)
[2]
$ for a in nvls_tree sharp "pat --op all_gather"; do railsim collective topologies/gmo-1su.yaml --protocol ll128 --bytes 1MiB --algorithm $a; done
--protocol ll128: error: C122: algorithm nvls_tree has no protocol ll128, only simple
--protocol ll128: error: C122: algorithm sharp has no protocol ll128, only simple
--protocol ll128: error: C122: algorithm pat has no protocol ll128, only simple
[2]
$ railsim collective topologies/gmo-1su.yaml --algorithm nvls_tree --ranks 12 --bytes 1MiB
--algorithm nvls_tree: error: C123: algorithm nvls_tree: 12 ranks do not fill NVLink domains of 8
[2]
$ railsim collective topologies/gmo-1su.yaml --set fabric.rails=12 --set fabric.switch_ports=0 --bytes 1MiB 2>&1 | grep -o 'C124.*'
C124: 8 GPUs of a server do not share its 12 network ports evenly: fewer ports, or a multiple
# Servers that do not all have as many ranks: by as many NICs as the numbers' common divisor.
$ railsim collective topologies/gmo-1su.yaml --ranks 12 --bytes 256MiB --algorithm ring --protocol simple
          size     time(us)  algbw(GB/s)  busbw(GB/s)  algorithm    protocol     messages
     268435456      2575.15      104.241      191.108  ring         simple           8448
# Sizes: at least a byte; an all-to-all moves what the ranks divide evenly; chunks can be counted.
$ railsim collective topologies/gmo-1su.yaml --bytes 0B
error: --bytes: at least 1B
[2]
$ railsim collective topologies/gmo-1su.yaml --op all_to_all --ranks 16 --bytes 1000B
          size     time(us)  algbw(GB/s)  busbw(GB/s)  algorithm    protocol     messages
           992        23.77        0.042        0.039  pairwise     simple            240
$ railsim collective topologies/gmo-1su.yaml --ranks 8 --bytes 4GiB --set workload.chunk=1B --channels 1 --algorithm tree
--set workload.chunk=1B: error: C140: a channel may have more than 2^31 messages; give longer chunks
[2]
