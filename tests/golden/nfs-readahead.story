status ok, fingerprint edcad7196ad3d4b8, 1177034 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   17.352661 s long,   6478118912 bytes read, bound by read-ahead
evaluation 1                18.352661 s,    0.770685 s long,    408281344 bytes read, bound by compute
epoch 2                     19.123345 s,   17.950034 s long,   6013599744 bytes read, bound by read-ahead
evaluation 2                37.073379 s,    0.775684 s long,    100000000 bytes read, bound by compute

read_stall      18.094922 s bound by read-ahead
compute         16.000000 s bound by compute
checkpoint       1.652041 s bound by window
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.102101 s bound by metadata

time_to_train_s              37.8490639 s
load_s                       0 s
first_epoch_s                17.3526605 s
later_epoch_s                17.9500344 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 18.0949219 s
serial_s                     0.102100928 s
checkpoint_s                 1.65204103 s
evaluation_s                 1.54636891 s
accelerator_utilisation      0.422731724 1
first_epoch_read_rate        2.98657092e+09 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
