/* fluid_dcqcn.c - DCQCN's delay-differential equations, analysed and integrated.
 *
 * For N equal flows, R = R_C and p as they were tau* ago:
 *   dq/dt     = N R_C - C
 *   dalpha/dt = g/tau' (1 - (1-p)^(tau' R) - alpha)
 *   dR_T/dt   = -(R_T - R_C)/tau a + R_AI R (c + e)
 *   dR_C/dt   = -R_C alpha/(2 tau) a + (R_T - R_C)/2 R (b + d)
 *   a = 1 - (1-p)^(tau R), b = p/((1-p)^-B - 1), c = b (1-p)^(F B),
 *   d = p/((1-p)^(-T R) - 1), e = d (1-p)^(F T R)
 * Inside, data is counted in packets, as marks are.
 * Source: Zhu, Ghobadi, Misra, Padhye, "ECN or Delay", CoNEXT'16, section 3, appendix A, and the
 * authors' published phase margins (github.com/jitupadhye-zz/rdma); thresholds: Zhu et al.,
 * SIGCOMM'15, section 4.
 * NOT modelled: hyper increase, PFC, flows that differ, noise of single packets.
 */
#include "models/cc/fluid_dcqcn.h"

#include <math.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/engine/fit.h"

/* struct facts: the model in packets and seconds. */
struct facts {
    double n, c, delay, kmin, kmax, pmax, ai, bytes, timer, recovery, cnp, alpha, g;
};

static struct facts facts_of(const struct fluid_dcqcn *model)
{
    double bits = 8 * model->packet_bytes;
    return (struct facts){.n = model->flows,
                          .c = model->rate_bps / bits,
                          .delay = model->delay_s,
                          .kmin = model->kmin_bytes / model->packet_bytes,
                          .kmax = model->kmax_bytes / model->packet_bytes,
                          .pmax = model->pmax,
                          .ai = model->ai_bps / bits,
                          .bytes = model->byte_counter_bytes / model->packet_bytes,
                          .timer = model->timer_s,
                          .recovery = model->recovery,
                          .cnp = model->cnp_s,
                          .alpha = model->alpha_s,
                          .g = model->g};
}

/* ---- the terms a .. e ---------------------------------------------------------------------- */

struct terms {
    double a, bd, ce; /* a, b + d, c + e */
};

/* cycle is p/((1-p)^-x - 1) and that times (1-p)^(F x), added: increases every x packets. */
static void cycle(const struct facts *facts, double p, double packets, struct terms *terms)
{
    double b = p / expm1(-packets * log1p(-p));
    terms->bd += b;
    terms->ce += b * exp(facts->recovery * packets * log1p(-p));
}

static struct terms terms_at(const struct facts *facts, double p, double rate)
{
    struct terms terms = {0};
    if (p >= 1) { /* every packet is marked: no increase is ever reached */
        terms.a = 1;
    } else if (p < 1e-15) { /* the limit */
        terms.bd = terms.ce = 1 / facts->bytes + 1 / (facts->timer * rate);
    } else {
        terms.a = -expm1(facts->cnp * rate * log1p(-p));
        cycle(facts, p, facts->bytes, &terms);
        cycle(facts, p, facts->timer * rate, &terms);
    }
    return terms;
}

static double alpha_at(const struct facts *facts, double p, double rate)
{
    return p >= 1 ? 1 : -expm1(facts->alpha * rate * log1p(-p));
}

/* ---- fixed point --------------------------------------------------------------------------- */

/* excess is the logarithm of a^2 alpha / ((b+d) (c+e)) over tau^2 R_AI R_C: 0 at p*, rising. */
static double excess(void *self, double p)
{
    const struct facts *facts = self;
    double rate = facts->c / facts->n;
    struct terms terms = terms_at(facts, p, rate);
    double left = 2 * log(terms.a) + log(alpha_at(facts, p, rate)) - log(terms.bd) - log(terms.ce);
    return left - log(facts->cnp * facts->cnp * facts->ai * rate);
}

/* p* ~ cbrt(R_AI N^2 / (tau' C^2) (1/B + N/(T C))^2) */
static double mark_approx(const struct facts *facts)
{
    double increases = 1 / facts->bytes + facts->n / (facts->timer * facts->c);
    return cbrt(facts->ai * facts->n * facts->n / (facts->alpha * facts->c * facts->c) * increases *
                increases);
}

/* R_T* = R_C* (1 + (c + e) tau R_AI / a) */
static double target_at(const struct facts *facts, double p)
{
    double rate = facts->c / facts->n;
    struct terms terms = terms_at(facts, p, rate);
    return rate * (1 + terms.ce * facts->cnp * facts->ai / terms.a);
}

bool fluid_dcqcn_fixed_point(const struct fluid_dcqcn *model, struct fluid_dcqcn_point *point)
{
    struct facts facts = facts_of(model);
    double low = 1e-12, high = low, p = 0;
    while (high < 0.5 && excess(&facts, high) < 0) {
        low = high;
        high *= 2;
    }
    if (!fit_root(excess, &facts, low, high, &p)) return false;
    double bits = 8 * model->packet_bytes;
    *point = (struct fluid_dcqcn_point){
        .mark = p,
        .mark_approx = mark_approx(&facts),
        .queue_bytes = p / facts.pmax * (model->kmax_bytes - model->kmin_bytes) + model->kmin_bytes,
        .alpha = alpha_at(&facts, p, facts.c / facts.n),
        .rate_bps = model->rate_bps / model->flows,
        .target_bps = target_at(&facts, p) * bits,
    };
    return true;
}

/* ---- phase margin -------------------------------------------------------------------------- */

/* struct loop: the linearised system as published. Deviations from the fixed point, in the Laplace
 * domain, with e = exp(-s tau*):
 *   p   = N slope / s  R_C                                       (the queue integrates the rates)
 *   alpha (s + g R) = g R e p
 *   R_T (s + p* R)  = t_now R_C + t_late e R_C + t_mark e p
 *   s R_C           = c_now R_C + c_late e R_C + c_mark e p + c_alpha alpha + c_target R_T
 * where a, (b+d), (c+e) are expanded to first order in p: a = tau p R, b+d = A - (1 + A/2) p,
 * c+e = A - (1 + 2F + A/2) p, A = 1/B + 1/(T R).
 * As published this differs from the equations above in three places, which the table needs: alpha
 * follows p with the time constant 1/(g R); t_now and t_late both carry A R_AI; and of the
 * recovery term's two factors, the difference R_T - R_C is taken as late and R as undelayed. */
struct loop {
    double slope, pole_alpha, pole_target, delay;
    double t_now, t_late, t_mark, c_now, c_late, c_mark, c_alpha, c_target;
};

static struct loop linearise(const struct facts *facts)
{
    double r = facts->c / facts->n, p = mark_approx(facts), ai = facts->ai;
    double alpha = alpha_at(facts, p, r), gap = target_at(facts, p) - r; /* R_T* - R_C* */
    double increases = 1 / facts->bytes + 1 / (facts->timer * r);        /* A */
    double fade = 1 + increases / 2, fade_target = fade + 2 * facts->recovery;
    double recover = increases - fade * p; /* b + d */
    return (struct loop){
        .slope = facts->n * facts->pmax / (facts->kmax - facts->kmin),
        .pole_alpha = facts->g * r,
        .pole_target = p * r,
        .delay = facts->delay,
        .t_now = p * r + increases * ai,
        .t_late = increases * ai - p * gap - fade_target * ai * p,
        .t_mark = -r * gap - fade_target * ai * r,
        .c_now = (-p * r * alpha + recover * gap) / 2,
        .c_late = (-p * r * alpha - recover * r) / 2,
        .c_mark = (-r * r * alpha - fade * r * gap) / 2,
        .c_alpha = -p * r * r / 2,
        .c_target = recover * r / 2,
    };
}

/* open_loop is L(j w): the loop is 1 + L = 0. */
static double _Complex open_loop(const struct loop *loop, double w)
{
    double _Complex s = __builtin_complex(0.0, w);
    double _Complex late = __builtin_complex(cos(w * loop->delay), -sin(w * loop->delay));
    double _Complex mark = loop->slope / s;
    double _Complex alpha = loop->pole_alpha * mark / (s + loop->pole_alpha);
    double _Complex target_late = (loop->t_late + loop->t_mark * mark) / (s + loop->pole_target);
    double _Complex target_now = loop->t_now / (s + loop->pole_target);
    double _Complex feedback =
        loop->c_late + loop->c_mark * mark + loop->c_alpha * alpha + loop->c_target * target_late;
    return -late * feedback / (s - loop->c_now - loop->c_target * target_now);
}

/* The logarithm of |L|: 0 where the gain is 1. */
static double gain(void *self, double w)
{
    double _Complex value = open_loop(self, w);
    return log(hypot(__real__ value, __imag__ value));
}

#define W_MIN 1e-1 /* rad/s */
#define W_MAX 1e9
#define W_STEP 1.01

bool fluid_dcqcn_phase_margin(const struct fluid_dcqcn *model, struct fluid_dcqcn_margin *margin)
{
    struct facts facts = facts_of(model);
    struct loop loop = linearise(&facts);
    bool found = false;
    double before = gain(&loop, W_MIN);
    for (double w = W_MIN; w < W_MAX; w *= W_STEP) {
        double after = gain(&loop, w * W_STEP), crossover;
        bool crosses = (before < 0) != (after < 0);
        before = after;
        if (!crosses || !fit_root(gain, &loop, w, w * W_STEP, &crossover)) continue;
        /* 180 degrees + the phase of L = the phase of -L; of several, the one nearest to 0 */
        double _Complex value = -open_loop(&loop, crossover);
        double deg = atan2(__imag__ value, __real__ value) * (180 / M_PI);
        if (found && fabs(deg) >= fabs(margin->margin_deg)) continue;
        *margin = (struct fluid_dcqcn_margin){deg, crossover};
        found = true;
    }
    return found;
}

/* ---- evolution ----------------------------------------------------------------------------- */

struct fluid {
    double q, alpha, rt, rc;
};

static double mark_at(const struct facts *facts, double q)
{
    if (q <= facts->kmin) return 0;
    if (q > facts->kmax) return 1;
    return (q - facts->kmin) / (facts->kmax - facts->kmin) * facts->pmax;
}

/* slope_of is the right-hand side of the equations; late is the state tau* ago. */
static struct fluid slope_of(const struct facts *facts, const struct fluid *now,
                             const struct fluid *late)
{
    double p = mark_at(facts, late->q), r = late->rc;
    struct terms terms = terms_at(facts, p, r);
    double gap = now->rt - now->rc, sum = facts->n * now->rc - facts->c;
    return (struct fluid){
        .q = now->q <= 0 && sum < 0 ? 0 : sum,
        .alpha = facts->g / facts->alpha * (alpha_at(facts, p, r) - now->alpha),
        .rt = -gap / facts->cnp * terms.a + facts->ai * r * terms.ce,
        .rc = -now->rc * now->alpha / (2 * facts->cnp) * terms.a + gap / 2 * r * terms.bd,
    };
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* advance adds h times the slope; rates stay between a packet per second and the line's. */
static struct fluid advance(const struct facts *facts, const struct fluid *from,
                            const struct fluid *slope, double h)
{
    return (struct fluid){.q = fmax(0, from->q + h * slope->q),
                          .alpha = clamp(from->alpha + h * slope->alpha, 0, 1),
                          .rt = clamp(from->rt + h * slope->rt, 1, facts->c),
                          .rc = clamp(from->rc + h * slope->rc, 1, facts->c)};
}

/* watch hands a sample on and, in the last quarter, keeps the range. */
static void watch(struct fluid_dcqcn_evolution *evolution, const struct fluid_dcqcn_sample *sample,
                  int64_t *kept)
{
    if (sample->at_s < 0.75 * evolution->duration_s) return;
    struct fluid_dcqcn_sample *least = &evolution->least, *most = &evolution->most;
    if (*kept == 0) *least = *most = *sample;
    least->queue_bytes = fmin(least->queue_bytes, sample->queue_bytes);
    most->queue_bytes = fmax(most->queue_bytes, sample->queue_bytes);
    least->rate_bps = fmin(least->rate_bps, sample->rate_bps);
    most->rate_bps = fmax(most->rate_bps, sample->rate_bps);
    evolution->queue_mean_bytes += sample->queue_bytes;
    ++*kept;
}

/* The largest step of the integration, unless a time constant is shorter. */
#define STEP_S 1e-6

static double step_s(const struct facts *facts, int64_t *delay_steps)
{
    double h = fmin(STEP_S, fmin(facts->cnp, fmin(facts->timer, facts->alpha)) / 20);
    *delay_steps = (int64_t)ceil(facts->delay / h);
    return *delay_steps > 0 ? facts->delay / (double)*delay_steps : h;
}

void fluid_dcqcn_evolve(const struct fluid_dcqcn *model, struct fluid_dcqcn_evolution *evolution)
{
    struct facts facts = facts_of(model);
    struct arena scratch = {0};
    int64_t lag, kept = 0;
    double h = step_s(&facts, &lag), bits = 8 * model->packet_bytes, due_s = 0;
    struct fluid now = {.q = 0, .alpha = 1, .rt = facts.c, .rc = facts.c};
    struct fluid *past = ARENA_ARRAY(&scratch, struct fluid, lag + 1); /* ring: [i] is step i */
    for (int64_t i = 0; i <= lag; i++)
        past[i] = now;
    evolution->queue_mean_bytes = 0;
    for (int64_t i = 0; (double)i * h <= evolution->duration_s; i++) {
        struct fluid_dcqcn_sample sample = {.at_s = (double)i * h,
                                            .queue_bytes = now.q * model->packet_bytes,
                                            .rate_bps = now.rc * bits,
                                            .target_bps = now.rt * bits,
                                            .alpha = now.alpha};
        watch(evolution, &sample, &kept);
        if (evolution->sink && sample.at_s >= due_s) {
            evolution->sink(evolution->self, &sample);
            due_s += evolution->every_s;
        }
        /* Heun: the delay is a whole number of steps, so both late states are known */
        past[i % (lag + 1)] = now;
        struct fluid first = slope_of(&facts, &now, &past[(i + 1) % (lag + 1)]);
        struct fluid guess = advance(&facts, &now, &first, h);
        const struct fluid *late = lag > 0 ? &past[(i + 2) % (lag + 1)] : &guess;
        struct fluid second = slope_of(&facts, &guess, late);
        struct fluid mean = {.q = (first.q + second.q) / 2,
                             .alpha = (first.alpha + second.alpha) / 2,
                             .rt = (first.rt + second.rt) / 2,
                             .rc = (first.rc + second.rc) / 2};
        now = advance(&facts, &now, &mean, h);
    }
    evolution->queue_mean_bytes /= (double)kept;
    double low = evolution->least.queue_bytes, high = evolution->most.queue_bytes;
    evolution->stable = high - low <= 0.25 * (high + low);
    arena_free(&scratch);
}

/* ---- thresholds ---------------------------------------------------------------------------- */

/* What the headrooms of all ports and priorities leave: B - 8 n t_flight. */
static double shared_bytes(const struct fluid_dcqcn_buffer *buffer)
{
    return buffer->buffer_bytes - buffer->priorities * buffer->ports * buffer->flight_bytes;
}

/* t_PFC <= (B - 8 n t_flight) / (8 n) */
double fluid_dcqcn_pfc_bytes(const struct fluid_dcqcn_buffer *buffer)
{
    return shared_bytes(buffer) / (buffer->priorities * buffer->ports);
}

/* t_ECN < t_PFC / n: all ports may feed one egress queue. */
double fluid_dcqcn_ecn_static_bytes(const struct fluid_dcqcn_buffer *buffer)
{
    return fluid_dcqcn_pfc_bytes(buffer) / buffer->ports;
}

/* t_ECN < beta (B - 8 n t_flight) / (8 n (beta + 1)) */
double fluid_dcqcn_ecn_dynamic_bytes(const struct fluid_dcqcn_buffer *buffer)
{
    return buffer->beta * shared_bytes(buffer) /
           (buffer->priorities * buffer->ports * (buffer->beta + 1));
}
