status ok, fingerprint a28419b519d01600, 27341 events



makespan_s                   0.000515681961 s
goodput                      1.86161253e+11 bit/s
