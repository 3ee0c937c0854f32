status ok, fingerprint 6a1af49442ad9ff1, 172693 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,    8.846807 s long,   6836207616 bytes read, bound by compute
evaluation 1                 9.846807 s,    1.224688 s long,   1000663296 bytes read, bound by wan
epoch 2                     11.071495 s,    8.058794 s long,   5063129088 bytes read, bound by compute
evaluation 2                19.130289 s,    0.963763 s long,    100000000 bytes read, bound by compute

compute         16.000000 s bound by compute
read_stall       2.031887 s bound by wan
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.042166 s bound by metadata
checkpoint       0.020000 s bound by compute

time_to_train_s              20.0940523 s
load_s                       0 s
first_epoch_s                8.8468075 s
later_epoch_s                8.05879412 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 2.03188682 s
serial_s                     0.0421655248 s
checkpoint_s                 0.02 s
evaluation_s                 2.18845073 s
accelerator_utilisation      0.796255515 1
first_epoch_read_rate        6.18185271e+09 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
