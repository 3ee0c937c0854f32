#!/usr/bin/env python3
"""generate.py - writes the samples of this folder that no hand would write: ring.R.et, ring.json,
ring.xml, workloads/all-pairs.xml, and, with --goal N, a GOAL file with about N bytes on stdout (to measure the reader).

ring: a training step on 4 ranks: forward, a pipeline send to the next rank, backward, an
all-reduce of two pairs, an all-gather of all, an optimizer step that waits for them.
The protobuf wire format is written by hand here, as it is read by hand in models/trace/protobuf.c,
after schema/protobuf/et_def.proto of mlcommons/chakra.
"""
import json
import os
import sys

RANKS = 4


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytearray([n]))


def number(field, n):
    return varint(field << 3) + varint(n)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def attr(name, field, value):
    value = data(field, value) if field == 29 else number(field, value)
    return data(10, data(1, name) + value)


def node(ident, name, kind, deps=(), ctrl=(), micros=0, attrs=()):
    out = number(1, ident) + data(2, name) + number(3, kind)
    if ctrl:
        out += data(4, b"".join(varint(d) for d in ctrl))  # packed
    for dep in deps:
        out += number(5, dep)  # not packed
    out += number(7, micros)
    out += data(8, data(1, "[]"))  # inputs: skipped by the reader
    return out + b"".join(attr(*a) for a in attrs)


def message(body):
    return varint(len(body)) + body


def rank_file(rank):
    gpu = ("is_cpu_op", 27, 0)
    after, before = (rank + 1) % RANKS, (rank - 1) % RANKS
    nodes = [
        node(1, "launch", 4, micros=5, attrs=[("is_cpu_op", 27, 1)]),
        node(2, "forward", 4, [1], [1], 1200, [("is_cpu_op", 7, 0), ("num_ops", 9, 10**12),
                                               ("tensor_size", 13, 1 << 20), ("stream", 9, 7)]),
        node(3, "activations", 5, [2], attrs=[gpu, ("comm_size", 9, 1 << 20), ("comm_dst", 7, after),
                                              ("comm_src", 7, rank), ("comm_tag", 7, 3)]),
        node(4, "activations", 6, attrs=[gpu, ("comm_size", 9, 1 << 20), ("comm_src", 7, before),
                                         ("comm_tag", 7, 3)]),
        node(5, "backward", 4, [2, 4], [99], 2400, [gpu, ("stream", 9, 7)]),
        node(6, "gradients", 7, [5], attrs=[gpu, ("comm_type", 9, 0), ("comm_size", 9, 1 << 26),
                                            ("pg_name", 29, str(1 + rank % 2))]),
        node(7, "weights", 7, [9, 6], attrs=[gpu, ("comm_type", 9, 2), ("comm_size", 9, 1 << 24)]),
        node(8, "next batch", 2, attrs=[("is_cpu_op", 27, 1), ("tensor_size", 13, 1 << 22)]),
        node(9, "optimizer", 4, [6], micros=300, attrs=[gpu]),
    ]
    metadata = data(1, "0.0.4") + data(2, data(1, "schema") + data(29, "railsim sample"))
    return message(metadata) + b"".join(message(n) for n in nodes)


def step(number_, kind, src, dst, dep=(-1, -1), has_dep=0, count=1):
    return (f'      <step s="{number_}" type="{kind}" srcbuf="{src[0]}" srcoff="{src[1]}" '
            f'dstbuf="{dst[0]}" dstoff="{dst[1]}" cnt="{count}" depid="{dep[0]}" deps="{dep[1]}" '
            f'hasdep="{has_dep}"/>\n')


def ring_xml(n):
    out = [f'<algo name="ring" proto="Simple" nchannels="1" nchunksperloop="{n}" ngpus="{n}" '
           f'coll="allreduce" inplace="1">\n']
    for gpu in range(n):
        out.append(f'  <gpu id="{gpu}" i_chunks="0" o_chunks="{n}" s_chunks="0">\n'
                   f'    <tb id="0" send="{(gpu + 1) % n}" recv="{(gpu - 1) % n}" chan="0">\n')
        kinds = ["s"] + ["rrs"] * (n - 2) + ["rrcs"] + ["rcs"] * (n - 2) + ["r"]
        for i, kind in enumerate(kinds):
            at = ("o", (gpu - i) % n)
            out.append(step(i, kind, at, at))
        assert len(kinds) == 2 * n - 1
        out.append("    </tb>\n  </gpu>\n")
    return "".join(out) + "</algo>\n"


def all_pairs_xml(n, each):
    """All-reduce: every GPU sums one part, of `each` chunks, that all others send to its scratch
    buffer, and sends the sum to all: a tb per peer, and one that adds."""
    out = [f'<algo name="all pairs" proto="LL" nchannels="1" nchunksperloop="{n * each}" '
           f'ngpus="{n}" coll="allreduce" inplace="0" minBytes="{n * each}">\n']
    for gpu in range(n):
        out.append(f'  <gpu id="{gpu}" i_chunks="{n * each}" o_chunks="{n * each}" '
                   f's_chunks="{(n - 1) * each}">\n')
        peers = [peer for peer in range(n) if peer != gpu]
        mine = gpu * each
        for tb, peer in enumerate(peers):
            theirs, slot = peer * each, ("s", tb * each)
            out.append(f'    <tb id="{tb}" send="{peer}" recv="{peer}" chan="0">\n')
            out.append(step(0, "s", ("i", theirs), ("s", 0), count=each))
            out.append(step(1, "r", ("i", mine), slot, has_dep=1, count=each))
            out.append(step(2, "s", ("o", mine), ("o", mine), (n - 1, n - 1), count=each))
            out.append(step(3, "r", ("o", theirs), ("o", theirs), count=each))
            out.append("    </tb>\n")
        out.append(f'    <tb id="{n - 1}" send="-1" recv="-1" chan="0">\n')
        out.append(step(0, "cpy", ("i", mine), ("o", mine), count=each))
        for tb in range(n - 1):
            out.append(step(1 + tb, "re", ("s", tb * each), ("o", mine), (tb, 1),
                            int(tb == n - 2), count=each))
        out.append("    </tb>\n  </gpu>\n")
    return "".join(out) + "</algo>\n"


def goal(bytes_wanted):
    ranks = 1024
    per_rank = max(3, bytes_wanted // ranks // 75)
    print(f"num_ranks {ranks}\n")
    for rank in range(ranks):
        out = [f"rank {rank} {{\n"]
        for i in range(per_rank):
            kind = (f"calc {1000 + i}", f"send 1048576b to {(rank + 1) % ranks} tag {i - 1} cpu 0",
                    f"recv 1048576b from {(rank - 1) % ranks} tag {i - 2} cpu 0")[i % 3]
            out.append(f"l{i}: {kind}\n")
            if i:
                out.append(f"l{i} requires l{i - 1}\n")
            if i > 4:
                out.append(f"l{i} irequires l{i - 4}\n")
        sys.stdout.write("".join(out) + "}\n\n")


def main():
    if sys.argv[1:2] == ["--goal"]:
        return goal(int(sys.argv[2]))
    here = os.path.dirname(os.path.abspath(__file__))
    for rank in range(RANKS):
        with open(f"{here}/ring.{rank}.et", "wb") as out:
            out.write(rank_file(rank))
    with open(f"{here}/ring.json", "w", encoding="ascii") as out:
        json.dump({"1": [0, 2], "2": [1, 3]}, out)
        out.write("\n")
    with open(f"{here}/ring.xml", "w", encoding="ascii") as out:
        out.write(ring_xml(4))
    with open(f"{here}/../../workloads/all-pairs.xml", "w", encoding="ascii") as out:
        out.write(all_pairs_xml(4, 2))
    return None


if __name__ == "__main__":
    main()
