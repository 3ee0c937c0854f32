status ok, fingerprint 4b87826d99238b2d, 1691408 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   54.480609 s long,   6400000000 bytes read, bound by congestion
evaluation 1                55.480609 s,    1.581711 s long,    100000000 bytes read, bound by congestion
epoch 2                     57.062320 s,   75.823391 s long,            0 bytes read, bound by congestion
evaluation 2               132.885711 s,    0.500000 s long,            0 bytes read, bound by compute

checkpoint      67.422340 s bound by congestion
read_stall      47.161269 s bound by congestion
compute         16.000000 s bound by compute
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.802102 s bound by metadata

time_to_train_s              133.385711 s
load_s                       0 s
first_epoch_s                54.4806089 s
later_epoch_s                75.8233908 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 47.161269 s
serial_s                     0.802101926 s
checkpoint_s                 67.4223399 s
evaluation_s                 2.08171116 s
accelerator_utilisation      0.119952879 1
first_epoch_read_rate        939783917 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
