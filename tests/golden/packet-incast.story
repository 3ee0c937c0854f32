status ok, fingerprint c7c14098cccf9683, 27072 events



makespan_s                   0.000515681961 s
goodput                      1.86161253e+11 bit/s
