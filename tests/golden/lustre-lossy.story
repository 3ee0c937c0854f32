status ok, fingerprint 9856c098ea294e0b, 271492 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,    8.703328 s long,   6400000000 bytes read, bound by compute
evaluation 1                 9.703328 s,    0.743128 s long,    100000000 bytes read, bound by compute

compute          8.000000 s bound by compute
start            1.000000 s bound by start-up
read_stall       0.742524 s bound by congestion
evaluation       0.500000 s bound by compute
serial           0.203932 s bound by metadata

time_to_train_s              10.446456 s
load_s                       0 s
first_epoch_s                8.70332782 s
steps                        80 1
compute_s                    8 s
all_reduce_s                 0 s
read_stall_s                 0.742524086 s
serial_s                     0.203931934 s
checkpoint_s                 0 s
evaluation_s                 0.743128202 s
accelerator_utilisation      0.765809954 1
first_epoch_read_rate        5.88280725e+09 bit/s
retransmitted_bytes          608464 bytes
losses                       68 1
