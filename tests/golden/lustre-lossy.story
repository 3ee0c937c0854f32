status ok, fingerprint c0c56660f0d51893, 140115 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,    8.847205 s long,   6400000000 bytes read, bound by compute
evaluation 1                 9.847205 s,    0.913333 s long,    100000000 bytes read, bound by compute

compute          8.000000 s bound by compute
read_stall       1.056317 s bound by congestion
start            1.000000 s bound by start-up
evaluation       0.500000 s bound by compute
serial           0.204221 s bound by metadata

time_to_train_s              10.7605379 s
load_s                       0 s
first_epoch_s                8.84720506 s
steps                        80 1
compute_s                    8 s
all_reduce_s                 0 s
read_stall_s                 1.05631682 s
serial_s                     0.204221031 s
checkpoint_s                 0 s
evaluation_s                 0.913332793 s
accelerator_utilisation      0.743457261 1
first_epoch_read_rate        5.78713838e+09 bit/s
retransmitted_bytes          545828 bytes
losses                       61 1
