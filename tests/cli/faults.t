# What a packet fabric refuses at load, and how a run ends whose network is broken.
$ printf 'node: {gpus: 1}\nfabric: {kind: leaf-spine, leaves: 2, hosts_per_leaf: 4, spines: 2, link_rate: 400Gbps}\n' > f.yaml
$ printf 'faults: [{link: "node0>*", kind: down, at: 10us}]\nstorage: {client: {kind: local}}\n' >> f.yaml
$ printf 'kind: flows\nname: p\npattern: permutation\nbetween: leaves\nsize: 1MB\n' > w.yaml
# An endpoint that is cut off for good: 7 retries of 4 ms, and an end with its name.
$ railsim run f.yaml w.yaml --fabric packet --seed 1 2>&1 | grep -o 'deadlock: node[0-9]: no acknowledgement from node[0-9] after 7 retries' | head -1
deadlock: node5: no acknowledgement from node0 after 7 retries
$ railsim run f.yaml w.yaml --fabric packet --set network.buffer=1MB --set network.pfc.headroom=300kB
--set network.buffer=1MB: error: C036: network.buffer: the headroom of the 8 ports of leaf0 is 2400000 B together, its buffer 1000000 B: lossless it is not; give more buffer, less headroom, or pfc.on: false
[2]
$ sed -i 's/kind: down/kind: pause-storm/' f.yaml
$ railsim run f.yaml w.yaml --fabric packet --set network.pfc.on=false
--set network.pfc.on=false: error: C037: faults: pause-storm at "node0>*" needs network.pfc.on: true
[2]
# what does not fit is shown where it stands in the file
$ railsim run topologies/remote-storage.yaml workloads/incast.yaml
workloads/incast.yaml: error: C045: the workload needs 2 endpoints, the topology has 1
[2]
$ railsim run topologies/leaf-spine-128.yaml workloads/permutation.yaml --set 'faults=[{link: "node3/nic0>*", kind: down, at: 0s}]'
--set faults=[{link: "node3/nic0>*", kind: down, at: 0s}]: error: C082: faults: no link is called "node3/nic0>*"; links are called "leaf0>spine0", "node0>leaf0"
[2]
