status ok, fingerprint f1109b492c062ace, 184685 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,    9.465530 s long,   6400000000 bytes read, bound by compute
evaluation 1                10.465530 s,    0.733762 s long,    100000000 bytes read, bound by compute

compute          8.000000 s bound by compute
read_stall       1.261533 s bound by congestion
start            1.000000 s bound by start-up
evaluation       0.500000 s bound by compute
read_stall       0.233762 s bound by credits
serial           0.203997 s bound by metadata

time_to_train_s              11.1992924 s
load_s                       0 s
first_epoch_s                9.46553034 s
steps                        80 1
compute_s                    8 s
all_reduce_s                 0 s
read_stall_s                 1.49529548 s
serial_s                     0.203996937 s
checkpoint_s                 0 s
evaluation_s                 0.73376208 s
accelerator_utilisation      0.714330844 1
first_epoch_read_rate        5.40909999e+09 bit/s
retransmitted_bytes          590568 bytes
losses                       66 1
