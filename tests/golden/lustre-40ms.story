status ok, fingerprint a0419736f6189ecc, 980865 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   54.422486 s long,   6400000000 bytes read, bound by window
evaluation 1                55.422486 s,    1.581749 s long,    100000000 bytes read, bound by window
epoch 2                     57.004236 s,   75.531086 s long,            0 bytes read, bound by window
evaluation 2               132.535321 s,    0.500000 s long,            0 bytes read, bound by compute

checkpoint      67.130035 s bound by window
read_stall      47.103185 s bound by window
compute         16.000000 s bound by compute
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.802102 s bound by metadata

time_to_train_s              133.035321 s
load_s                       0 s
first_epoch_s                54.4224863 s
later_epoch_s                75.5310855 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 47.1031847 s
serial_s                     0.802101926 s
checkpoint_s                 67.1300346 s
evaluation_s                 2.08174946 s
accelerator_utilisation      0.120268812 1
first_epoch_read_rate        940787596 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
