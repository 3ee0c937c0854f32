status ok, fingerprint 60e4f6d4940d6627, 171609 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,    8.846805 s long,   6836207616 bytes read, bound by compute
evaluation 1                 9.846805 s,    1.250324 s long,   1019537664 bytes read, bound by wan
epoch 2                     11.097129 s,    8.041082 s long,   5044254720 bytes read, bound by compute
evaluation 2                19.138211 s,    0.959134 s long,    100000000 bytes read, bound by compute

compute         16.000000 s bound by compute
read_stall       2.035200 s bound by wan
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.042145 s bound by metadata
checkpoint       0.020000 s bound by compute

time_to_train_s              20.0973456 s
load_s                       0 s
first_epoch_s                8.84680528 s
later_epoch_s                8.04108224 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 2.03520025 s
serial_s                     0.0421453184 s
checkpoint_s                 0.02 s
evaluation_s                 2.20945806 s
accelerator_utilisation      0.796125038 1
first_epoch_read_rate        6.18185426e+09 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
