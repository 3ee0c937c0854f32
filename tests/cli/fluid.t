# The fluid model of DCQCN: published verdicts, one document, series; threshold design.
$ railsim fluid dcqcn --flows 10 --delay 85us --kmax 2000KB --pmax 10% | tail -1
  verdict       unstable
$ railsim fluid dcqcn --flows 2 --delay 85us --kmax 2000KB --pmax 10% | tail -1
  verdict       stable
$ railsim fluid dcqcn --flows 10 --delay 4us
DCQCN fluid model: 10 flows, 40 Gb/s, feedback delay 4 us
  fixed point   p* 0.006032 (approximation 0.007849), queue 122.62 KB, alpha 0.1533, rate 4 Gb/s, target 4.103 Gb/s
  phase margin  3.808 degrees at 3957 rad/s (linearised as published, around the approximate p*)
  evolution     last quarter of 0.2 s: queue 122.62 .. 122.62 KB, mean 122.62 KB; rate 4.000 .. 4.000 Gb/s
  verdict       stable
$ railsim fluid dcqcn --flows 64 --delay 4us | sed -n 3p
                outside the ramp: p* > pmax, the queue rides kmax
$ railsim fluid dcqcn --json | grep verdict
  "verdict": "stable"
$ railsim fluid dcqcn --evolve 100ms --csv | sed -n -e '1,2p' -e '$='
time_s,queue_bytes,rate_bps,target_bps,alpha
0,0,4e+10,4e+10,1
2002
$ railsim fluid thresholds
DCQCN thresholds: 32 ports x 8 priorities share 12 MB, headroom 22.4 KB each
  PFC static    at most 24.475 KB
  ECN Kmin      below 0.765 KB with static PFC, 21.756 KB with dynamic PFC (beta 8)
$ railsim fluid thresholds --json
{
  "schema_version": 1,
  "model": "thresholds",
  "pfc_static_bytes": 24475,
  "ecn_static_bytes": 764.84375,
  "ecn_dynamic_bytes": 21755.555555555555
}
$ railsim fluid dcqcn --rate 40 --pmax 2
error: --rate: '40': a rate needs a unit: * (glob)
error: --pmax: more than 0, at most 1
[2]
$ railsim fluid dcqcn --pmax 2 --kmin 300KB --delay 1ms --evolve 1us --csv --json 2>/dev/null | tr -s ' '
{
 "schema_version": 1,
 "status": "config-error",
 "errors": [
 "error: --csv and --json exclude each other",
 "error: --kmin: less than --kmax",
 "error: --pmax: more than 0, at most 1",
 "error: --evolve: 1ms to 10s",
 "error: --evolve: at least 20 times --delay"
 ]
}
$ railsim fluid timely
error: unknown model 'timely': dcqcn or thresholds
[2]
