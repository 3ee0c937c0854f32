# Parts of a rate are found, and shown with their digits; the workload loads only as its row sets it.
$ echo 'kind: collective' > workloads/sizeless.yaml; printf '%s\n' 'title: found again' 'source: this test' 'topology: topologies/h200-1.yaml' 'calibrate:' '  keys: node.gpu_link_efficiency' 'rows:' '  - {name: "1 GiB", kind: calibrated, workload: workloads/sizeless.yaml, set: workload.size=1GiB workload.algorithm=ring workload.protocol=simple, metric: busbw, factor: 1e-9, unit: GB/s, expected: 300, tolerance: 1%}' > tests/validation/again.yaml
$ railsim calibrate again
found again
  source: this test
  used:
    1 GiB: 300 GB/s
  found in * iterations, relative rms error * (glob)
    node.gpu_link_efficiency: 0.674230* # files have 0.816, this is 0.6742 (glob)
$ railsim check workloads/sizeless.yaml 2>&1 | cut -c 1-55
workloads/sizeless.yaml: error: missing 'size' (a size)
# A rate of 2 is no count: it is found between whole numbers.
$ printf '%s\n' 'kind: training' 'epochs: 1' 'dataset: {size: 80MB, files: 80, records: 80}' 'reader: {decode_rate: 2}' 'step: {compute: 1ms, batch_per_gpu: 1}' > workloads/slow.yaml; printf '%s\n' 'title: a rate' 'source: this test' 'topology: topologies/local-storage.yaml' 'calibrate:' '  keys: workload.reader.decode_rate' 'rows:' '  - {name: "epoch", kind: calibrated, workload: workloads/slow.yaml, metric: first_epoch_s, unit: s, expected: 4, tolerance: 1%}' > tests/validation/rate.yaml; railsim calibrate rate
a rate
  source: this test
  used:
    epoch: 4 s
  found in * iterations, relative rms error * (glob)
    workload.reader.decode_rate: 2.50179* # files have 2, this is 2.502 (glob)
