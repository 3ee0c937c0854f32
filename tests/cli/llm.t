# A training step: time, throughput, where the time went.
$ railsim run topologies/dgx-h100-ndr.yaml workloads/llama2-70b-lora-step.yaml --set workload.parallel.gpus=8 | sed -n 4,14p
status           ok
step             3.675 s
throughput       1.783e+04 tokens/s
per GPU          697 TFLOP/s, 35.2 % of the peak

phase                           start         time  bound by
step 1 .. 2 (2)                   0 s      7.351 s  compute

where the time went             share         time  bound by
compute                       94.90 %      6.976 s  compute
tp                             5.10 %     0.3747 s  network
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set workload.gpus=64 | sed -n '5,7p;/went/,/^$/p'
step             0.01019 s
throughput       3.141e+05 samples/s
per GPU          120.7 TFLOP/s, 12.2 % of the peak
where the time went             share         time  bound by
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
$ railsim run topologies/dgx-h100-ndr.yaml workloads/resnet50-step.yaml --set workload.run.copies=2 --set workload.run.scattered=true --set 'workload.run.stragglers=[{gpu: 9, slowdown: 2}]' --json | grep -E '"(job/[01]|step_s|gpus)"'
    "step_s": 0.013531641269,
    "gpus": 128,
    "job/0": {"step_s": 0.006942619536},
    "job/1": {"step_s": 0.013531641269},
# A server's ports fail: who waits for whom.
$ railsim run topologies/gmo-3su.yaml workloads/llama2-70b-fsdp.yaml --set 'faults=[{link: "node5/*", kind: down, at: 1s}]' | grep status
topologies/gmo-3su.yaml workloads/llama2-70b-fsdp.yaml faults=[{link: "node5/*", kind: down, at: 1s}]: deadlock: rank 0, stream gather, operation 40 (parameters) waits for group 1537: rank 40, block 1, step 1 waits for message 312 from rank 32 on lane 1 (320 sent); 16 messages stand still: node5/nic0>unit0/leaf0 and 15 other links are down
status           deadlock: rank 0, stream gather, operation 40 (parameters) waits for group 1537: rank 40, block 1, step 1 waits for message 312 from rank 32 on lane 1 (320 sent); 16 messages stand still: node5/nic0>unit0/leaf0 and 15 other links are down
# Mistakes.
$ railsim run topologies/leaf-spine-128.yaml workloads/llama2-70b-fsdp.yaml
error: C097: the topology does not say how fast its GPUs are: give node.accelerator (`railsim list devices`)
[2]
$ railsim run topologies/gmo-3su.yaml workloads/llama2-70b-fsdp.yaml --set workload.parallel.gpus=1000
error: C091: run.copies = 1 with 1000 GPUs each: the topology has 768 GPUs
[2]
$ railsim run topologies/gmo-3su.yaml workloads/resnet50-step.yaml --set workload.gpus=7
error: C093: a global batch of 3200 is no multiple of 7 GPUs
[2]
