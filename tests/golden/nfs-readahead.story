status ok, fingerprint 932338546c2eab5b, 1205664 events

start                        0.000000 s,    1.000000 s long,            0 bytes read, bound by start-up
epoch 1                      1.000000 s,   17.577076 s long,   6468419584 bytes read, bound by read-ahead
evaluation 1                18.577076 s,    0.770821 s long,    394912000 bytes read, bound by compute
epoch 2                     19.347898 s,   18.237221 s long,   6036668416 bytes read, bound by read-ahead
evaluation 2                37.585119 s,    0.775671 s long,    100000000 bytes read, bound by compute

read_stall      18.580967 s bound by read-ahead
compute         16.000000 s bound by compute
checkpoint       1.677721 s bound by window
evaluation       1.000000 s bound by compute
start            1.000000 s bound by start-up
serial           0.102101 s bound by metadata

time_to_train_s              38.3607897 s
load_s                       0 s
first_epoch_s                17.5770764 s
later_epoch_s                18.237221 s
steps                        160 1
compute_s                    16 s
all_reduce_s                 0 s
read_stall_s                 18.5809673 s
serial_s                     0.102100928 s
checkpoint_s                 1.67772149 s
evaluation_s                 1.54649235 s
accelerator_utilisation      0.417092561 1
first_epoch_read_rate        2.94402525e+09 bit/s
retransmitted_bytes          0 bytes
losses                       0 1
