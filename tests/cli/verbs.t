# The program without a verb, with a wrong one, and its globals.
$ railsim --help | head -3
railsim - how fast does a GPU cluster train, and what holds it up?

Usage: railsim VERB [ARGUMENT...] [OPTION...]
$ railsim > /dev/null
[2]
$ railsim sweeep
error: unknown verb 'sweeep' (did you mean 'sweep'?)
[2]
$ railsim frobnicate
error: unknown verb 'frobnicate' (railsim --help lists them)
[2]
$ railsim --version
railsim 0.1.0 (git *), * *, sqlite 3.*, libyaml 0.* (glob)
# Help: on stdout, exit 0, an example per verb.
$ for v in run sweep plot show compare check explain list schema validate calibrate doctor; do railsim $v --help | grep -c '^Example:' ; done | sort | uniq -c | tr -s ' '
 12 1
$ railsim help check
railsim check FILE...
  Checks topology or workload files as run would.

Options (each also as RAILSIM_<OPTION>):
      --set KEY=VALUE          override a value
  -v, --resolved               print every value in effect and where it comes from
      --json                   print one JSON document
  -h, --help                   this text

Example:
  railsim check topologies/remote-storage.yaml --resolved --set wan.rtt=15ms
$ railsim sweep --options | head -3
--vary
--jobs
--repeat
$ railsim --completion | bash -n
$ railsim --man | head -3
.TH RAILSIM 1
.SH NAME
railsim \- simulator of GPU clusters, their networks and storage
# Options: unknown, without a value, wrong values, the environment, -- and glued values.
$ railsim check --jsn x.yaml
error: unknown option '--jsn' (did you mean '--json'?)
[2]
$ railsim run a b --seed
error: --seed needs a value: N
[2]
$ railsim run a b --seed -1 --max-wall 5 --max-mem=1s --max-events 1.5
error: --seed: '-1': takes an integer from 0 to 2^64-1
error: --max-wall: '5': a time needs a unit: ps ns us ms s min h
error: --max-mem: '1s': unknown unit; a size takes: B kB MB GB TB PB KiB MiB GiB TiB PiB
error: --max-events: '1.5': a count is a whole number without a unit
[2]
$ railsim run a
error: missing argument: railsim run TOPOLOGY WORKLOAD [--set KEY=VALUE]... [-o results.db]
[2]
$ railsim doctor a
error: unexpected argument 'a': railsim doctor
[2]
$ RAILSIM_JSON=maybe railsim check workloads/resnet50.yaml
error: RAILSIM_JSON: 'maybe': takes 1 or 0
[2]
$ RAILSIM_RESOLVED=1 RAILSIM_SET='workload.epochs=35 workload.startup=2s' railsim check workloads/resnet50.yaml | grep -E 'ok|startup'
workloads/resnet50.yaml: ok (workload)
  workload.startup                     2s                                  --set
$ railsim check -- --jsn
--jsn: error: cannot read: No such file or directory
[2]
$ railsim check --json --set
error: --set needs a value: KEY=VALUE
error: missing argument: railsim check FILE...
{
  "schema_version": 1,
  "status": "config-error",
  "errors": [
    "error: --set needs a value: KEY=VALUE",
    "error: missing argument: railsim check FILE..."
  ]
}
[2]
# A stdout that cannot be written is an error.
$ railsim list clients > /dev/full
error: cannot write the standard output: No space left on device
[3]
$ ulimit -f 1; railsim schema topology > schema.json
error: cannot write the standard output: File too large
[3]
$ railsim doctor | awk '{ print $1, $2 }'
ok program
ok system
ok processors
ok clock
ok database
ok gnuplot
ok topologies
ok workloads
ok plots
ok tests/validation
