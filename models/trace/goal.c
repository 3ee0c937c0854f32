/* goal.c - reads GOAL text.
 *
 *     num_ranks 2
 *     rank 0 {
 *     l1: calc 1500                         nanoseconds
 *     l2: send 4096b to 1 tag 7 cpu 0 nic 1
 *     l2 requires l1                        begins when l1 has ended
 *     l3: recv 8b from -1 tag -1            from anybody, of any tag
 *     l3 irequires l2                       begins when l2 has begun
 *     }
 *
 * The one idea: statements are handled as they come, so a file is read once, through one buffer;
 * only the labels of the present rank are kept, and a dependency names labels that stand above it
 * (as the compiler of the format, txt2bin, wants it).
 * Source: spcl/LogGOPSim, src/LogGOPSim/txt2bin.re. Kinder than that: comments may stand anywhere,
 * tag, cpu and nic in any order, a rank may end on the line of its last statement. Not modelled:
 * the binary form; what LogGOPSim charges to a cpu for sending; which nic (read, not kept).
 */
#include "models/trace/goal.h"

#include <inttypes.h>
#include <string.h>

#include "models/trace/trace_build.h"
#include "models/trace/trace_text.h"
#include "sim/base/units.h"

#define WORD_MAX 255

struct goal {
    struct trace_text text;
    struct trace_build build;
    struct trace_keys labels; /* of the present rank */
    uint32_t *label_op;       /* label i is that of operation label_op[i] */
    int64_t label_cap;
    int64_t rank;
    struct trace_spot spot; /* of the present word or number */
    size_t word_len;
    char word[WORD_MAX + 1];
};

struct limits {
    const char *what;
    int64_t min, max;
};

/* ---- words and numbers -----------------------------------------------------------------------*/

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* The present character is the first '/'; goes behind the comment. */
static bool skip_comment(struct goal *goal)
{
    struct trace_text *text = &goal->text;
    struct trace_spot start = trace_text_spot(text);
    int c = trace_text_next(text);
    if (c == '/') {
        while (text->c != '\n' && text->c != EOF)
            trace_text_next(text);
        return true;
    }
    if (c != '*') return trace_text_wrong(text, start, "C083: '/' begins no comment");
    trace_text_next(text);
    for (int before = 0; text->c != EOF; before = c) {
        c = text->c;
        trace_text_next(text);
        if (before == '*' && c == '/') return true;
    }
    return trace_text_wrong(text, start, "C083: this comment does not end");
}

/* Goes to what is neither blank nor comment; newlines are blank only if `lines`. */
static bool skip(struct goal *goal, bool lines)
{
    for (;;) {
        int c = goal->text.c;
        if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n'))
            trace_text_next(&goal->text);
        else if (c != '/')
            break;
        else if (!skip_comment(goal))
            return false;
    }
    goal->spot = trace_text_spot(&goal->text);
    return true;
}

static bool expected(struct goal *goal, const char *what)
{
    char shown[TRACE_TEXT_SHOWN];
    const char *found = trace_text_shown(&goal->text, shown);
    return trace_text_wrong(&goal->text, trace_text_spot(&goal->text),
                            "C083: expected %s, found %s", what, found);
}

/* Reads a word, which begins with a letter, on this line; `what` is for the message. */
static bool read_word(struct goal *goal, const char *what)
{
    if (!skip(goal, false)) return false;
    goal->word_len = 0;
    if (!is_letter(goal->text.c)) return expected(goal, what);
    for (int c = goal->text.c; is_letter(c) || is_digit(c) || c == '_';
         c = trace_text_next(&goal->text)) {
        if (goal->word_len == WORD_MAX)
            return trace_text_wrong(&goal->text, goal->spot,
                                    "C083: a word of more than %d characters", WORD_MAX);
        goal->word[goal->word_len++] = (char)c;
    }
    goal->word[goal->word_len] = 0;
    return true;
}

static bool is_word(const struct goal *goal, const char *word)
{
    return strcmp(goal->word, word) == 0;
}

/* struct words: what could stand in a place. */
struct words {
    const char *wanted; /* for the message */
    const char *const *word;
    int n;
};

static bool unexpected_word(struct goal *goal, const struct words *words)
{
    const char *near = err_suggest(goal->word, words->word, words->n);
    return trace_text_wrong(&goal->text, goal->spot, "C083: expected %s, found '%s'%s%s%s",
                            words->wanted, goal->word, near ? " (did you mean '" : "",
                            near ? near : "", near ? "'?)" : "");
}

static bool read_this(struct goal *goal, const char *word)
{
    const struct words words = {word, &word, 1};
    return read_word(goal, word) && (is_word(goal, word) || unexpected_word(goal, &words));
}

static bool read_number(struct goal *goal, const struct limits *limits, int64_t *out)
{
    if (!skip(goal, false)) return false;
    bool negative = goal->text.c == '-';
    int64_t value = 0;
    if (negative) trace_text_next(&goal->text);
    if (!is_digit(goal->text.c)) return expected(goal, limits->what);
    for (; is_digit(goal->text.c); trace_text_next(&goal->text)) {
        int digit = goal->text.c - '0';
        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    if (negative) value = -value;
    if (value < limits->min || value > limits->max)
        return trace_text_wrong(&goal->text, goal->spot,
                                "C084: not %s from %" PRId64 " to %" PRId64, limits->what,
                                limits->min, limits->max);
    *out = value;
    return true;
}

static bool end_line(struct goal *goal)
{
    if (!skip(goal, false)) return false;
    int c = goal->text.c;
    return c == '\n' || c == '}' || c == EOF || expected(goal, "the end of the line");
}

/* ---- statements ------------------------------------------------------------------------------*/

static const struct limits size_limits = {"a size in bytes", 0, TRACE_BYTES_MAX};
static const struct limits time_limits = {"a time in ns", 0, INT64_MAX / PS_PER_NS};
static const struct limits tag_limits = {"a tag", 0, INT64_MAX};
static const struct limits any_tag_limits = {"a tag (-1 = any)", TRACE_ANY, INT64_MAX};
static const struct limits cpu_limits = {"the number of a cpu", 0, UINT16_MAX};
static const struct limits nic_limits = {"the number of a nic", 0, 255};

/* Reads "tag T", "cpu C", "nic N" up to the end of the line, each at most once. */
static bool read_options(struct goal *goal, struct trace_op *op)
{
    bool compute = op->kind == TRACE_COMPUTE;
    const struct limits *const limits[] = {op->kind == TRACE_RECV ? &any_tag_limits : &tag_limits,
                                           &cpu_limits, &nic_limits};
    static const char *const words[] = {"tag", "cpu", "nic"};
    const struct words wanted = {compute ? "cpu, nic or the end of the line"
                                         : "tag, cpu, nic or the end of the line",
                                 words + compute, 3 - compute};
    int64_t value[3] = {compute ? TRACE_ANY : 0, 0, 0};
    bool said[3] = {0};
    for (;;) {
        int which = compute ? 1 : 0;
        if (!skip(goal, false)) return false;
        if (!is_letter(goal->text.c)) break;
        if (!read_word(goal, wanted.wanted)) return false;
        while (which < 3 && !is_word(goal, words[which]))
            which++;
        if (which == 3) return unexpected_word(goal, &wanted);
        if (said[which])
            return trace_text_wrong(&goal->text, goal->spot, "C083: a second '%s'", goal->word);
        said[which] = true;
        if (!read_number(goal, limits[which], &value[which])) return false;
    }
    op->tag = value[0];
    op->stream = (uint16_t)value[1];
    return end_line(goal);
}

/* The word is send, recv or calc: reads the rest. */
static bool read_op(struct goal *goal)
{
    int64_t peer = 0, ns = 0;
    int64_t rank_n = goal->build.trace->rank_n;
    struct trace_op *op = trace_build_op(&goal->build);
    if (!op)
        return trace_text_wrong(&goal->text, goal->spot, "C084: more than %d operations",
                                TRACE_OPS_MAX);
    op->place = (uint64_t)goal->spot.line;
    op->kind = is_word(goal, "calc")   ? TRACE_COMPUTE
               : is_word(goal, "send") ? TRACE_SEND
                                       : TRACE_RECV;
    if (op->kind == TRACE_COMPUTE) {
        if (!read_number(goal, &time_limits, &ns)) return false;
        op->duration_ps = ns * PS_PER_NS;
        return read_options(goal, op);
    }
    bool sends = op->kind == TRACE_SEND;
    const struct limits peer_limits = {sends ? "a rank" : "a rank (-1 = any)",
                                       sends ? 0 : TRACE_ANY, rank_n - 1};
    if (!read_number(goal, &size_limits, &op->bytes) || !read_this(goal, "b") ||
        !read_this(goal, sends ? "to" : "from") || !read_number(goal, &peer_limits, &peer))
        return false;
    op->peer = (int32_t)peer;
    return read_options(goal, op);
}

static const char *const op_words[] = {"send", "recv", "calc"};
#define OP_WORDS (int)(sizeof op_words / sizeof *op_words)

static bool is_op(const struct goal *goal)
{
    for (int i = 0; i < OP_WORDS; i++)
        if (is_word(goal, op_words[i])) return true;
    return false;
}

/* The word is a label, and ':' follows. */
static bool read_labelled(struct goal *goal)
{
    int64_t before = goal->labels.n;
    int64_t label = trace_keys_add(&goal->labels, goal->word, goal->word_len);
    if (label < before)
        return trace_text_wrong(&goal->text, goal->spot,
                                "C084: label '%s' is that of line %" PRIu64 ", too", goal->word,
                                goal->build.op[goal->label_op[label]].place);
    goal->label_op = mem_grow(goal->label_op, &goal->label_cap, label + 1, sizeof *goal->label_op);
    goal->label_op[label] = (uint32_t)goal->build.op_n;
    trace_text_next(&goal->text);
    const struct words wanted = {"send, recv or calc", op_words, OP_WORDS};
    if (!read_word(goal, wanted.wanted)) return false;
    return is_op(goal) ? read_op(goal) : unexpected_word(goal, &wanted);
}

/* The word is a label of this rank: which operation? */
static bool find_label(struct goal *goal, uint32_t *op)
{
    int64_t label = trace_keys_find(&goal->labels, goal->word, goal->word_len);
    if (label < 0)
        return trace_text_wrong(&goal->text, goal->spot,
                                "C084: no operation of this rank above has the label '%s'",
                                goal->word);
    *op = goal->label_op[label];
    return true;
}

/* The word is the label of what waits. */
static bool read_dependency(struct goal *goal)
{
    struct trace_edge edge = {.wait = TRACE_END};
    static const char *const words[] = {"requires", "irequires"};
    const struct words wanted = {"':', requires or irequires", words, 2};
    if (!find_label(goal, &edge.op) || !read_word(goal, wanted.wanted)) return false;
    if (is_word(goal, "irequires"))
        edge.wait = TRACE_START;
    else if (!is_word(goal, "requires"))
        return unexpected_word(goal, &wanted);
    if (!read_word(goal, "a label") || !find_label(goal, &edge.on)) return false;
    if (edge.op == edge.on)
        return trace_text_wrong(&goal->text, goal->spot, "C088: '%s' waits for itself", goal->word);
    trace_build_wait(&goal->build, &edge);
    return end_line(goal);
}

static bool read_statement(struct goal *goal)
{
    if (!read_word(goal, "a label, send, recv, calc or '}'")) return false;
    if (is_op(goal)) return read_op(goal);
    if (is_word(goal, "rank"))
        return trace_text_wrong(&goal->text, goal->spot, "C083: '}' of rank %" PRId64 " is missing",
                                goal->rank);
    struct trace_spot word = goal->spot;
    if (!skip(goal, false)) return false;
    if (goal->text.c == ':') {
        goal->spot = word;
        return read_labelled(goal);
    }
    if (!is_letter(goal->text.c)) return expected(goal, "':', requires or irequires");
    goal->spot = word;
    return read_dependency(goal);
}

/* ---- ranks -----------------------------------------------------------------------------------*/

static bool read_rank(struct goal *goal)
{
    const struct limits rank_limits = {"a rank", 0, goal->build.trace->rank_n - 1};
    if (!read_number(goal, &rank_limits, &goal->rank)) return false;
    struct trace_rank *rank = &goal->build.trace->rank[goal->rank];
    if (rank->file)
        return trace_text_wrong(&goal->text, goal->spot, "C084: a second rank %" PRId64,
                                goal->rank);
    if (!skip(goal, false)) return false;
    if (goal->text.c != '{') return expected(goal, "'{'");
    trace_text_next(&goal->text);
    trace_keys_clear(&goal->labels);
    for (;;) {
        if (!skip(goal, true)) return false;
        if (goal->text.c == '}') break;
        if (goal->text.c == EOF)
            return trace_text_wrong(&goal->text, goal->spot,
                                    "C083: the file ends within rank %" PRId64, goal->rank);
        if (!read_statement(goal)) return false;
    }
    trace_text_next(&goal->text);
    return trace_build_rank(&goal->build, goal->rank, goal->text.file);
}

static bool read_file(struct goal *goal, int64_t ranks_max)
{
    int64_t rank_n = 0;
    const struct limits count_limits = {"a number of ranks", 1,
                                        ranks_max > 0 ? ranks_max : TRACE_RANKS_MAX};
    trace_text_begin(&goal->text);
    if (!skip(goal, true) || !read_this(goal, "num_ranks") ||
        !read_number(goal, &count_limits, &rank_n))
        return false;
    trace_build_begin(&goal->build, rank_n);
    goal->build.trace->lines = true;
    for (;;) {
        if (!skip(goal, true)) return false;
        if (goal->text.c == EOF) break;
        if (!read_this(goal, "rank") || !read_rank(goal)) return false;
    }
    for (int64_t i = 0; i < rank_n; i++) /* a rank that is not mentioned does nothing */
        goal->build.trace->rank[i].file = goal->text.file;
    trace_build_end(&goal->build);
    return !ferror(goal->text.in);
}

bool goal_read(const struct goal_source *source, struct trace *trace)
{
    FILE *in = source->in ? source->in : trace_text_open(source->file, source->err);
    if (!in) return false;
    struct goal goal = {
        .text = {.file = source->file, .in = in, .arena = source->arena, .err = source->err},
        .build = {.trace = trace, .arena = source->arena, .err = source->err},
    };
    bool ok = read_file(&goal, source->ranks_max);
    trace_build_free(&goal.build);
    trace_keys_free(&goal.labels);
    mem_free(goal.label_op);
    if (!source->in) fclose(in);
    return ok;
}
