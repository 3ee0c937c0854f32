status ok, fingerprint 47b1f82662074fd5, 1177968 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   17.353690 s long,   6478118912 bytes read, bound by read-ahead
evaluation 1                18.353690 s,    0.770688 s long,    408281344 bytes read, bound by compute
epoch 2                     19.124379 s,   17.954113 s long,   6013599744 bytes read, bound by read-ahead
evaluation 2                37.078492 s,    0.775685 s long,    100000000 bytes read, bound by compute

read_stall      18.094289 s bound by read-ahead
compute         16.000000 s bound by compute
checkpoint       1.657786 s bound by window
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.102101 s bound by metadata

time_to_train_s              37.8541766 s
load_s                       0 s
first_epoch_s                17.3536903 s
later_epoch_s                17.9541131 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 18.0942894 s
serial_s                     0.102100928 s
checkpoint_s                 1.65778634 s
evaluation_s                 1.54637321 s
accelerator_utilisation      0.422674627 1
first_epoch_read_rate        2.9863937e+09 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
