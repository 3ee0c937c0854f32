# Steps with a checkpoint: what it takes, what it costs.
$ railsim run topologies/gmo-3su-storage.yaml workloads/llama2-70b-fsdp-checkpoint.yaml --set fabric.scalable_units=1 --set fabric.nodes_per_unit=2 --set fabric.spines=1 --set workload.training.global_batch=16 --set workload.checkpoint.size=20GB --set workload.run.messages_max=1000 --json | grep -E '"(checkpoint|quiet|storing|time_to).*s"'
    "checkpoints": 1,
    "checkpoint_bytes": 20000000000,
    "checkpoint_stall_s": 0.204516231016,
    "checkpoint_s": 0.204516231016,
    "quiet_step_s": 8.4*, (glob)
    "checkpoint_cost_s": 0.2045*, (glob)
    "time_to_train_s": 850*, (glob)
# What does not fit: more NICs than there are, less than a byte per GPU.
$ railsim run topologies/gmo-3su-storage.yaml workloads/llama2-70b-fsdp-checkpoint.yaml --set storage.nics=9
--set storage.nics=9: error: C101: storage.nics: a server has 8 compute NICs, not 9
[2]
$ railsim run topologies/gmo-3su-storage.yaml workloads/llama2-70b-fsdp-checkpoint.yaml --set workload.checkpoint.size=10B
--set workload.checkpoint.size=10B: error: C104: a checkpoint of less than a byte for each of 768 GPUs
[2]
# What the clock does not last for, and what page caches cannot number.
$ railsim run topologies/gmo-3su-storage.yaml workloads/resnet50-step.yaml --set workload.load.what=weights --set workload.load.size=10TB --set wan.rate=1Mbps
--set workload.load.size=10TB: error: C108: storage takes about 8e+07 s of simulated time (load 8e+07, samples 0, checkpoints 0): a run may take at most 1e+06 s
[2]
$ railsim run topologies/gmo-3su-storage.yaml workloads/resnet50-step.yaml --set workload.data.size=1000PB
--set workload.data.size=1000PB: error: C141: data and load are more than 2^31 blocks of 4 MiB (9 PB, if files are large): smaller ones, or fewer files
[2]
# The line breaks: who waits for storage.
$ railsim run topologies/gmo-3su-storage.yaml workloads/llama2-70b-fsdp-checkpoint.yaml --set 'faults=[{link: "*>wan", kind: down, at: 17s}]' -q >/dev/null
topologies/* deadlock: rank 0, stream compute, operation * (checkpoint) waits for storage; 768 messages stand still: unit0/leaf0>wan and 1 other link are down (glob)
[1]
