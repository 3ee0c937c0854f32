# A training step: time, throughput, where the time went.
$ railsim run topologies/dgx-h100-ndr.yaml workloads/llama2-70b-lora-step.yaml | sed -n 3,13p
status           ok
step             3.675 s
throughput       1.783e+04 tokens/s
per GPU          697 TFLOP/s, 35.2 % of the peak

phase                           start         time  bound by
step 1 .. 2 (2)                   0 s      7.351 s  compute

where 2 steps' time went        share         time  bound by
compute                       94.90 %      6.976 s  compute
tp                             5.10 %     0.3747 s  network
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set workload.gpus=64 | sed -n '5,7p;/went/,/^$/p'
step             0.01019 s
throughput       3.141e+05 samples/s
per GPU          120.7 TFLOP/s, 12.2 % of the peak
where 2 steps' time went        share         time  bound by
compute                       96.95 %    0.01976 s  compute
dp                             3.01 %  0.0006134 s  network
skew                           0.04 %  7.693e-06 s  waiting

$ railsim run topologies/dgx-a100-64.yaml workloads/megatron-175b.yaml | grep -E '^(step|throughput|compute|bubble|tp|pp)'
step             13.79 s
throughput       9506 tokens/s
step 1 .. 2 (2)                   0 s      27.58 s  compute
compute                       82.96 %      22.88 s  compute
tp                            11.81 %      3.258 s  network
bubble                         5.13 %      1.414 s  waiting
pp                             0.10 %    0.02724 s  network
# Two jobs, a slow GPU.
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set workload.gpus=0 --set workload.run.copies=2 --set workload.run.scattered=true --set 'workload.run.stragglers=[{gpu: 9, slowdown: 2}]' --json | grep -E '"(job/[01]|step_s|gpus|slowest_job|skew_s)"'
    "slowest_job": 1,
    "step_s": 0.013531641269,
    "gpus": 128,
    "job/0": {"step_s": 0.006942619536, "samples_per_s": 460921.12399460166},
    "job/1": {"step_s": 0.013531641269, "samples_per_s": 236482.76926546716},
    "step": {"compute_s": 0.006654540974953125, "dp_s": 0.0008888256573125, "dp_bytes": 101429470.75, "skew_s": 0.005988274636734375}
# A server's ports fail: who waits for whom.
$ railsim run topologies/gmo-3su.yaml workloads/llama2-70b-fsdp.yaml --set 'faults=[{link: "node5/*", kind: down, at: 1s}]' | grep status
topologies/gmo-3su.yaml workloads/llama2-70b-fsdp.yaml faults=[{link: "node5/*", kind: down, at: 1s}]: deadlock: rank 0, stream gather, operation 40 (parameters) waits for replica group 0: rank 40, block 1, step 1 waits for message 312 from rank 32 on lane 1 (320 sent); 72 messages stand still: node5/nic0>unit0/leaf0 and 15 other links are down
status           deadlock: rank 0, stream gather, operation 40 (parameters) waits for replica group 0: rank 40, block 1, step 1 waits for message 312 from rank 32 on lane 1 (320 sent); 72 messages stand still: node5/nic0>unit0/leaf0 and 15 other links are down
# Mistakes.
$ railsim run topologies/leaf-spine-128.yaml workloads/llama2-70b-fsdp.yaml
topologies/leaf-spine-128.yaml:6:1: error: C097: the topology does not say how fast its GPUs are: give node.accelerator (`railsim list devices`)
  node: {gpus: 1}
  ^
[2]
$ railsim run topologies/gmo-3su.yaml workloads/llama2-70b-fsdp.yaml --set workload.parallel.gpus=1000
--set workload.parallel.gpus=1000: error: C091: 1 job of 1000 GPUs: the topology has 768 GPUs
[2]
$ railsim run topologies/gmo-3su.yaml workloads/resnet50-step.yaml --set workload.gpus=7
workloads/resnet50-step.yaml:12:15: error: C093: a global batch of 3200 is no multiple of 7 GPUs
  global_batch: 3200
                ^
[2]
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set 'workload.run.stragglers=[{gpu: 100, slowdown: 2}]'
--set workload.run.stragglers=[{gpu: 100, slowdown: 2}]: error: C099: run.stragglers: no job runs on GPU 100, only on 0 to 7
[2]
# What no GPU holds, what no clock holds.
$ railsim run topologies/aws-p4d.yaml workloads/gpt3-175b-fsdp.yaml --set workload.parallel.shard=optimizer
* error: C130: a GPU has 80.0 GB and needs 714.6 GB, activations not counted: parameters (349.1), gradients (349.1) and optimiser (16.4); try parallel.shard: parameters, larger tensor or pipeline (glob)
[2]
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set workload.sample_gflop=1e9
--set workload.sample_gflop=1e9: error: C108: 2 steps of about 2.26e+06 s of simulated time: a run may take at most 1e+06 s
[2]
# The time of a whole training: steps and evaluations.
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set workload.steps=1000 --set workload.evaluations=10 --set workload.evaluation_samples=50000 --json | grep -E '"time_to_train_s"'
    "time_to_train_s": 58.7*, (glob)
