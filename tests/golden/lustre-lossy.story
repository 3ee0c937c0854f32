status ok, fingerprint 45a77ad769058f3a, 187110 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,    9.465463 s long,   6400000000 bytes read, bound by compute
evaluation 1                10.465463 s,    0.753232 s long,    100000000 bytes read, bound by compute

compute          8.000000 s bound by compute
read_stall       1.514765 s bound by congestion
start            1.000000 s bound by start-up
evaluation       0.500000 s bound by compute
serial           0.203930 s bound by metadata

time_to_train_s              11.2186953 s
load_s                       0 s
first_epoch_s                9.46546332 s
steps                        80 1
compute_s                    8 s
all_reduce_s                 0 s
read_stall_s                 1.51476536 s
serial_s                     0.203929921 s
checkpoint_s                 0 s
evaluation_s                 0.753231964 s
accelerator_utilisation      0.7130954 1
first_epoch_read_rate        5.40913828e+09 bit/s
retransmitted_bytes          626360 bytes
losses                       70 1
