/* flows_read_htsim.c - connection matrices (.cm) of htsim.
 *
 *     Nodes 16
 *     Connections 2
 *     Triggers 1
 *     0->1 id 1 start 0 size 2000000 send_done_trigger 1
 *     2->3 id 2 trigger 1 size 2000000 [recv_done_trigger N]
 *     trigger id 1 oneshot | multishot | barrier count 2
 *
 * `start` is in picoseconds unless said otherwise.
 * Source: spcl/HTSIM, htsim/sim/datacenter/connection_matrix.cpp (load), sim/trigger.cpp.
 * send_done_trigger fires when the sender has the last acknowledgement, as in htsim, and the flow
 * ends then; so does recv_done_trigger if a flow has both.
 * NOT modelled, and therefore refused: prio, msg, failure lines, endless flows (size 0).
 */
#include <inttypes.h>
#include <string.h>

#include "models/work/flows_read.h"

static const struct flows_limits node_limits = {"a number of nodes", 1, INT32_MAX};
static const struct flows_limits count_limits = {"a number of lines", 0, FLOWS_READ_MAX};
static const struct flows_limits id_limits = {"an id", 1, UINT32_MAX};
static const struct flows_limits size_limits = {"a size in bytes", 1, FLOWS_READ_BYTES_MAX};
static const struct flows_limits barrier_limits = {"a count", 1, FLOWS_READ_MAX};

/* struct header: -1 = not said. */
struct header {
    int64_t nodes, connections, triggers, failures;
};

static bool read_trigger_id(struct flows_read *read, int32_t *out)
{
    int64_t id = 0;
    if (!flows_read_int(read, &id_limits, &id)) return false;
    *out = flows_read_trigger(read, id);
    return true;
}

/* "0->1": both ends are numbers of nodes. */
static bool read_ends(struct flows_read *read, const char *arrow, struct flows_item *item)
{
    const char *end = read->word + read->word_len;
    if (!flows_read_node(read, read->word, (int)(arrow - read->word), &item->src) ||
        !flows_read_node(read, arrow + 2, (int)(end - arrow) - 2, &item->dst))
        return false;
    if (item->src != item->dst) return true;
    return flows_read_wrong(read, "source and destination are the same");
}

static bool read_id(struct flows_read *read)
{
    int64_t id = 0;
    if (!flows_read_int(read, &id_limits, &id)) return false;
    int32_t *number = flows_read_number(&read->flows, read->arena, id);
    if (*number >= 0)
        return flows_read_wrong(read, "id %" PRId64 " is that of line %d, too", id, *number);
    *number = read->line;
    return true;
}

enum key { KEY_START, KEY_SIZE, KEY_ID, KEY_TRIGGER, KEY_SENT, KEY_ARRIVED, KEYS };

/* The key at the current word; KEYS after an error. */
static enum key read_key(const struct flows_read *read, bool seen[KEYS])
{
    static const char *const words[KEYS] = {
        "start", "size", "id", "trigger", "send_done_trigger", "recv_done_trigger"};
    int shown = read->word_len < 40 ? read->word_len : 40;
    enum key key = 0;
    while (key < KEYS && !flows_read_is(read, words[key]))
        key++;
    if (key == KEYS) {
        flows_read_wrong(read,
                         "'%.*s' is not known here; known: id start size trigger "
                         "send_done_trigger recv_done_trigger",
                         shown, read->word);
    } else if (seen[key]) {
        flows_read_wrong(read, "'%s' twice", words[key]);
        key = KEYS;
    } else {
        seen[key] = true;
    }
    return key;
}

static bool read_value(struct flows_read *read, enum key key, struct flows_item *item)
{
    switch (key) {
    case KEY_START:
        return flows_read_start(read, &item->start_ps);
    case KEY_SIZE:
        return flows_read_int(read, &size_limits, &item->bytes);
    case KEY_ID:
        return read_id(read);
    case KEY_TRIGGER:
        return read_trigger_id(read, &item->trigger);
    case KEY_SENT:
        return read_trigger_id(read, &item->on_confirmed);
    case KEY_ARRIVED:
        return read_trigger_id(read, &item->on_arrived);
    case KEYS:
        break;
    }
    return false;
}

static bool read_connection(struct flows_read *read, const char *arrow)
{
    struct flows_item item = {.trigger = -1, .on_confirmed = -1, .on_arrived = -1};
    bool seen[KEYS] = {false};
    if (!read_ends(read, arrow, &item)) return false;
    while (flows_read_word(read))
        if (!read_value(read, read_key(read, seen), &item)) return false;
    if (!seen[KEY_SIZE]) return flows_read_wrong(read, "missing: size");
    if (!seen[KEY_START] && !seen[KEY_TRIGGER])
        return flows_read_wrong(read, "missing: start or trigger");
    return flows_read_add(read, &item);
}

static bool read_declaration(struct flows_read *read)
{
    static const char *const kinds[] = {"", "oneshot", "barrier", "multishot"};
    _Static_assert(FLOWS_MULTISHOT == 3, "a word for every kind");
    int64_t id = 0, count = 1;
    enum flows_trigger_kind kind = FLOWS_UNDECLARED;
    if (!flows_read_word(read) || !flows_read_is(read, "id"))
        return flows_read_wrong(read, "expected 'id'");
    if (!flows_read_int(read, &id_limits, &id)) return false;
    int32_t number = flows_read_trigger(read, id); /* may move the array */
    struct flows_trigger *trigger = &read->plan->trigger[number];
    if (trigger->kind != FLOWS_UNDECLARED)
        return flows_read_wrong(read, "trigger %" PRId64 " is declared twice", id);
    bool given = flows_read_word(read);
    for (int k = FLOWS_ONESHOT; k <= FLOWS_MULTISHOT && given; k++)
        if (flows_read_is(read, kinds[k])) kind = (enum flows_trigger_kind)k;
    if (kind == FLOWS_UNDECLARED)
        return flows_read_wrong(read, "expected oneshot, barrier or multishot");
    if (flows_read_word(read)) {
        if (!flows_read_is(read, "count")) return flows_read_wrong(read, "expected 'count'");
        if (!flows_read_int(read, &barrier_limits, &count)) return false;
    } else if (kind == FLOWS_BARRIER) {
        return flows_read_wrong(read, "a barrier needs a count");
    }
    trigger->kind = kind;
    trigger->count = kind == FLOWS_ONESHOT ? 1 : count;
    return flows_read_end(read);
}

static bool read_header(struct flows_read *read, struct header *header)
{
    const struct {
        const char *word;
        const struct flows_limits *limits;
        int64_t *out;
    } known[] = {
        {"Nodes", &node_limits, &header->nodes},
        {"Connections", &count_limits, &header->connections},
        {"Triggers", &count_limits, &header->triggers},
        {"Failures", &count_limits, &header->failures},
    };
    for (unsigned k = 0; k < sizeof known / sizeof known[0]; k++) {
        if (!flows_read_is(read, known[k].word)) continue;
        if (*known[k].out >= 0) return flows_read_wrong(read, "%s twice", known[k].word);
        return flows_read_int(read, known[k].limits, known[k].out) && flows_read_end(read);
    }
    return flows_read_wrong(read, "expected Nodes, Connections, Triggers, SRC->DST or trigger");
}

static bool read_any(struct flows_read *read, struct header *header)
{
    flows_read_word(read);
    const char *arrow = memmem(read->word, (size_t)read->word_len, "->", 2);
    if (arrow) {
        if (header->nodes > 0 && (read->endpoints == 0 || header->nodes < read->endpoints))
            read->endpoints = header->nodes;
        return read_connection(read, arrow);
    }
    if (flows_read_is(read, "trigger")) return read_declaration(read);
    if (flows_read_is(read, "failure"))
        return flows_read_wrong(read, "failures belong to the topology, not to the traffic");
    return read_header(read, header);
}

static bool check_count(struct flows_read *read, const char *what, int64_t said, int64_t found)
{
    if (said == found) return true;
    read->word = read->text;
    if (said < 0) return flows_read_wrong(read, "missing: %s", what);
    return flows_read_wrong(read, "%s %" PRId64 ", but the file has %" PRId64, what, said, found);
}

bool flows_read_htsim(struct flows_read *read)
{
    struct header header = {-1, -1, -1, -1};
    int before = read->err->count;
    int64_t declared = 0;
    read->word = read->at = read->text;
    while (flows_read_line(read))
        if (!read_any(read, &header)) return false;
    if (read->err->count > before) return false;
    for (int64_t t = 0; t < read->plan->trigger_n; t++)
        declared += read->plan->trigger[t].kind != FLOWS_UNDECLARED;
    if (!check_count(read, "Connections", header.connections, read->plan->n)) return false;
    if (header.triggers >= 0 && !check_count(read, "Triggers", header.triggers, declared))
        return false;
    if (header.nodes < 0) return check_count(read, "Nodes", -1, 0);
    if (header.failures > 0) return check_count(read, "Failures", header.failures, 0);
    if (read->plan->n == 0) return flows_read_wrong(read, "no connections");
    return flows_read_settle(read);
}
