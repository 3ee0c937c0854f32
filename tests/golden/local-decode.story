status ok, fingerprint 64482d4f3bfb640c, 50628 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   16.118913 s long,   6769098752 bytes read, bound by decode
evaluation 1                17.118913 s,    0.632492 s long,    259383552 bytes read, bound by compute
epoch 2                     17.751404 s,   15.988335 s long,   5871517696 bytes read, bound by compute
evaluation 2                33.739740 s,    0.632492 s long,    100000000 bytes read, bound by compute

compute         16.000000 s bound by compute
read_stall      15.783706 s bound by decode
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
checkpoint       0.588325 s bound by device
serial           0.000200 s bound by metadata

time_to_train_s              34.3722314 s
load_s                       0 s
first_epoch_s                16.1189127 s
later_epoch_s                15.9883353 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 15.7837061 s
serial_s                     0.0002 s
checkpoint_s                 0.588325294 s
evaluation_s                 1.26498343 s
accelerator_utilisation      0.465492037 1
first_epoch_read_rate        3.35958083e+09 bit/s
