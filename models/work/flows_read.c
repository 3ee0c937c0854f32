/* flows_read.c - lines, words, numbers of a file of flows, and the graph of its triggers.
 *
 * Apart from the formats, which only say what stands where. A file is read line by line; the first
 * mistake ends it, with file:line:column. The one idea for dependencies: whatever a format calls
 * them, a flow waits for at most one trigger and fires some when it is sent or has arrived. Before
 * a run the graph is walked once without times, so that a flow that could never start is an error
 * and not a run that hangs.
 */
#include "models/work/flows_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "models/work/flows.h"
#include "sim/base/units.h"

#define SHOWN 40 /* characters of a word that a message repeats */

static bool wrong_at(const struct flows_read *read, int line, int col, const char *text)
{
    return err_add(read->err, (struct err_pos){.file = read->file, .line = line, .col = col}, "%s",
                   text);
}

bool flows_read_wrong(const struct flows_read *read, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(read->arena, fmt, ap);
    va_end(ap);
    return wrong_at(read, read->line, (int)(read->word - read->text) + 1, text);
}

bool flows_read_open(struct flows_read *read)
{
    struct stat stat_of;
    struct err_pos whole = {.file = read->file};
    if (stat(read->file, &stat_of) != 0)
        return err_add(read->err, whole, "cannot read: %s", strerror(errno));
    if (!S_ISREG(stat_of.st_mode)) return err_add(read->err, whole, "is no regular file");
    read->in = fopen(read->file, "r");
    if (!read->in) return err_add(read->err, whole, "cannot read: %s", strerror(errno));
    return true;
}

/* ---- lines and words -------------------------------------------------------------------------*/

/* Reads up to a newline; false at the end of the file. A line that is too long or has odd bytes is
 * an error, which leaves an empty text. */
static bool next_line(struct flows_read *read)
{
    int n = 0, c = getc(read->in);
    const char *wrong = NULL;
    if (c == EOF) return false;
    read->line++;
    for (; c != EOF && c != '\n'; c = getc(read->in)) {
        if (n == FLOWS_READ_LINE_MAX - 1) {
            wrong = "the line is too long";
            break;
        }
        if ((c < ' ' && c != '\t' && c != '\r') || c > '~') {
            wrong = "a byte that is no printable ASCII";
            break;
        }
        read->text[n++] = (char)c;
    }
    read->text[n] = 0;
    read->word = read->at = read->text;
    read->word_len = 0;
    if (!wrong) return true;
    wrong_at(read, read->line, n + 1, wrong);
    return false;
}

bool flows_read_line(struct flows_read *read)
{
    while (next_line(read)) {
        if (flows_read_word(read) && *read->word != '#') {
            read->word = read->at = read->text;
            return true;
        }
    }
    if (ferror(read->in))
        err_add(read->err, (struct err_pos){.file = read->file}, "cannot read: %s",
                strerror(errno));
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool flows_read_word(struct flows_read *read)
{
    const char *at = read->at;
    while (is_blank(*at))
        at++;
    read->word = at;
    while (*at && !is_blank(*at))
        at++;
    read->at = at;
    read->word_len = (int)(at - read->word);
    return read->word_len > 0;
}

bool flows_read_is(const struct flows_read *read, const char *word)
{
    return (int)strlen(word) == read->word_len &&
           memcmp(word, read->word, (size_t)read->word_len) == 0;
}

bool flows_read_end(struct flows_read *read)
{
    if (!flows_read_word(read)) return true;
    return flows_read_wrong(read, "'%.*s' is one word too many",
                            read->word_len < SHOWN ? read->word_len : SHOWN, read->word);
}

/* ---- numbers ---------------------------------------------------------------------------------*/

bool flows_read_digits(const struct flows_read *read, const char *text, int len,
                       const struct flows_limits *limits, int64_t *out)
{
    bool negative = len > 0 && *text == '-';
    int64_t value = 0;
    bool is_number = len > negative;
    for (int i = negative; i < len && is_number; i++) {
        is_number = text[i] >= '0' && text[i] <= '9';
        if (value > (INT64_MAX - 9) / 10) {
            value = INT64_MAX;
            break;
        }
        value = value * 10 + (text[i] - '0');
    }
    if (negative) value = -value;
    int shown = len < SHOWN ? len : SHOWN;
    if (!is_number) return flows_read_wrong(read, "'%.*s' is not %s", shown, text, limits->what);
    if (value < limits->min || value > limits->max)
        return flows_read_wrong(read, "%.*s is not %s from %" PRId64 " to %" PRId64, shown, text,
                                limits->what, limits->min, limits->max);
    *out = value;
    return true;
}

bool flows_read_int(struct flows_read *read, const struct flows_limits *limits, int64_t *out)
{
    if (!flows_read_word(read)) return flows_read_wrong(read, "missing: %s", limits->what);
    return flows_read_digits(read, read->word, read->word_len, limits, out);
}

bool flows_read_node(const struct flows_read *read, const char *text, int len, int32_t *out)
{
    int64_t most = read->endpoints > 0 ? read->endpoints : INT32_MAX;
    int64_t node = 0;
    const struct flows_limits limits = {"an endpoint", 0, most - 1};
    if (!flows_read_digits(read, text, len, &limits, &node)) return false;
    *out = (int32_t)node;
    return true;
}

bool flows_read_start(struct flows_read *read, int64_t *out_ps)
{
    static const char *const units[] = {"s", "s", "ms", "us", "ns", "ps"};
    _Static_assert(FLOWS_PS == 5, "a unit for every word");
    union unit_value value;
    char text[SHOWN + 4];
    if (!flows_read_word(read)) return flows_read_wrong(read, "missing: a start time");
    char last = read->word[read->word_len - 1];
    bool number = read->word_len <= SHOWN && ((last >= '0' && last <= '9') || last == '.');
    if (number) {
        snprintf(text, sizeof text, "%.*s%s", read->word_len, read->word, units[read->unit]);
        number = !units_parse(UNIT_TIME, text, &value) && value.i >= 0;
    }
    if (!number)
        return flows_read_wrong(read, "'%.*s' is not a start time in %s",
                                read->word_len < SHOWN ? read->word_len : SHOWN, read->word,
                                units[read->unit]);
    *out_ps = value.i;
    return true;
}

/* ---- ids -------------------------------------------------------------------------------------*/

static int64_t place_of(const struct flows_ids *ids, int64_t id)
{
    uint64_t hash = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);
    int64_t place = (int64_t)(hash >> 32) & (ids->cap - 1);
    while (ids->number[place] != INT32_MIN && ids->id[place] != id)
        place = (place + 1) & (ids->cap - 1);
    return place;
}

static void grow_ids(struct flows_ids *ids, struct arena *arena)
{
    struct flows_ids old = *ids;
    ids->cap = old.cap > 0 ? 2 * old.cap : 64;
    ids->id = ARENA_ARRAY(arena, int64_t, ids->cap);
    ids->number = ARENA_ARRAY(arena, int32_t, ids->cap);
    for (int64_t i = 0; i < ids->cap; i++)
        ids->number[i] = INT32_MIN;
    for (int64_t i = 0; i < old.cap; i++) {
        if (old.number[i] == INT32_MIN) continue;
        int64_t place = place_of(ids, old.id[i]);
        ids->id[place] = old.id[i];
        ids->number[place] = old.number[i];
    }
}

int32_t *flows_read_number(struct flows_ids *ids, struct arena *arena, int64_t id)
{
    if (2 * (ids->n + 1) > ids->cap) grow_ids(ids, arena);
    int64_t place = place_of(ids, id);
    if (ids->number[place] == INT32_MIN) {
        ids->number[place] = -1;
        ids->id[place] = id;
        ids->n++;
    }
    return &ids->number[place];
}

int32_t flows_read_trigger(struct flows_read *read, int64_t id)
{
    struct flows_plan *plan = read->plan;
    int32_t *number = flows_read_number(&read->triggers, read->arena, id);
    if (*number >= 0) return *number;
    plan->trigger = arena_grow(read->arena, plan->trigger, &plan->trigger_cap, plan->trigger_n + 1,
                               sizeof *plan->trigger);
    plan->trigger[plan->trigger_n] =
        (struct flows_trigger){.id = id, .first = -1, .last = -1, .line = read->line};
    *number = (int32_t)plan->trigger_n++;
    return *number;
}

/* ---- the plan --------------------------------------------------------------------------------*/

bool flows_read_add(struct flows_read *read, const struct flows_item *item)
{
    struct flows_plan *plan = read->plan;
    if (plan->n == FLOWS_READ_MAX)
        return flows_read_wrong(read, "more than %d flows", FLOWS_READ_MAX);
    plan->item = arena_grow(read->arena, plan->item, &plan->cap, plan->n + 1, sizeof *plan->item);
    plan->item[plan->n] = *item;
    plan->item[plan->n++].line = read->line;
    return true;
}

int32_t flows_read_fire(struct flows_plan *plan, int32_t number)
{
    struct flows_trigger *trigger = &plan->trigger[number];
    int32_t first = trigger->first;
    trigger->fired++;
    if (trigger->kind == FLOWS_MULTISHOT && first >= 0) {
        trigger->first = plan->item[first].next;
        plan->item[first].next = -1;
        return first;
    }
    return trigger->fired == trigger->count ? first : -1;
}

/* Queue each waiting item at its trigger, in the order of the file. */
static void link_items(struct flows_plan *plan)
{
    for (int64_t t = 0; t < plan->trigger_n; t++) {
        plan->trigger[t].first = plan->trigger[t].last = -1;
        plan->trigger[t].fired = 0;
    }
    for (int64_t i = 0; i < plan->n; i++) {
        plan->item[i].next = -1;
        plan->item[i].started = false;
        if (plan->item[i].trigger < 0) continue;
        struct flows_trigger *trigger = &plan->trigger[plan->item[i].trigger];
        if (trigger->first < 0) {
            trigger->first = (int32_t)i;
        } else {
            plan->item[trigger->last].next = (int32_t)i;
        }
        trigger->last = (int32_t)i;
    }
}

/* Items that a fired trigger starts go onto the stack. */
static int64_t fire_onto(struct flows_plan *plan, int32_t trigger, int32_t *stack, int64_t stack_n)
{
    if (trigger < 0) return stack_n;
    for (int32_t i = flows_read_fire(plan, trigger); i >= 0; i = plan->item[i].next) {
        plan->item[i].started = true;
        stack[stack_n++] = i;
    }
    return stack_n;
}

bool flows_read_settle(struct flows_read *read)
{
    struct flows_plan *plan = read->plan;
    int32_t *stack = ARENA_ARRAY(read->arena, int32_t, plan->n);
    int64_t stack_n = 0;
    for (int64_t t = 0; t < plan->trigger_n; t++)
        if (plan->trigger[t].kind == FLOWS_UNDECLARED)
            return wrong_at(read, plan->trigger[t].line, 1,
                            arena_printf(read->arena, "trigger %" PRId64 " is not declared",
                                         plan->trigger[t].id));
    link_items(plan);
    for (int64_t i = 0; i < plan->n; i++) {
        if (plan->item[i].trigger >= 0) continue;
        plan->item[i].started = true;
        stack[stack_n++] = (int32_t)i;
    }
    while (stack_n > 0) {
        const struct flows_item *item = &plan->item[stack[--stack_n]];
        stack_n = fire_onto(plan, item->on_confirmed, stack, stack_n);
        stack_n = fire_onto(plan, item->on_arrived, stack, stack_n);
    }
    for (int64_t t = 0; t < plan->trigger_n; t++)
        if (plan->trigger[t].kind != FLOWS_MULTISHOT &&
            plan->trigger[t].fired > plan->trigger[t].count)
            return wrong_at(
                read, plan->trigger[t].line, 1,
                arena_printf(read->arena,
                             "trigger %" PRId64 " fires %" PRId64 " times, but takes %" PRId64,
                             plan->trigger[t].id, plan->trigger[t].fired, plan->trigger[t].count));
    for (int64_t i = 0; i < plan->n; i++)
        if (!plan->item[i].started)
            return wrong_at(read, plan->item[i].line, 1,
                            "this flow never starts: what it waits for waits for it, or is fired "
                            "too seldom");
    link_items(plan);
    return true;
}
