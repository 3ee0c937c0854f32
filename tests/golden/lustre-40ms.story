status ok, fingerprint 0b121d8c0dd83fcf, 1093609 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   54.420273 s long,   6400000000 bytes read, bound by window
evaluation 1                55.420273 s,    1.581698 s long,    100000000 bytes read, bound by window
epoch 2                     57.001971 s,   75.523046 s long,            0 bytes read, bound by window
evaluation 2               132.525017 s,    0.500000 s long,            0 bytes read, bound by compute

checkpoint      67.121995 s bound by window
read_stall      47.100920 s bound by window
compute         16.000000 s bound by compute
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.802102 s bound by metadata

time_to_train_s              133.025017 s
load_s                       0 s
first_epoch_s                54.4202729 s
later_epoch_s                75.5230463 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 47.1009197 s
serial_s                     0.802101926 s
checkpoint_s                 67.1219953 s
evaluation_s                 2.08169769 s
accelerator_utilisation      0.120278128 1
first_epoch_read_rate        940825858 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
