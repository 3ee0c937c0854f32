/* fluid_dcqcn.h - DCQCN as a fluid: fixed point, phase margin, time evolution; threshold design.
 *
 * N equal flows through one queue. All values are doubles in SI units (bit/s, bytes, seconds):
 * analysis, no event of a simulation depends on it.
 */
#ifndef RAILSIM_MODELS_CC_FLUID_DCQCN_H
#define RAILSIM_MODELS_CC_FLUID_DCQCN_H

#include <stdbool.h>

/* struct fluid_dcqcn: a bottleneck and its flows. */
struct fluid_dcqcn {
    double flows, rate_bps;
    double delay_s; /* of the feedback, tau* */
    double kmin_bytes, kmax_bytes, pmax;
    double packet_bytes;
    double ai_bps, byte_counter_bytes, timer_s, recovery; /* R_AI, B, T, F */
    double cnp_s, alpha_s, g;                             /* tau, tau', g */
};
/* Zhu et al., CoNEXT'16, section 3: 40 Gb/s, packets of 1 KB. */
#define FLUID_DCQCN_PAPER                                                                          \
    {                                                                                              \
        .flows = 2, .rate_bps = 40e9, .kmin_bytes = 5e3, .kmax_bytes = 200e3, .pmax = 0.01,        \
        .packet_bytes = 1e3, .ai_bps = 40e6, .byte_counter_bytes = 10e6, .timer_s = 55e-6,         \
        .recovery = 5, .cnp_s = 50e-6, .alpha_s = 55e-6, .g = 1.0 / 256                            \
    }

/* struct fluid_dcqcn_point: where all rates of change are 0. */
struct fluid_dcqcn_point {
    double mark, mark_approx; /* p*, and the cube-root approximation */
    double queue_bytes;       /* on the ramp, continued beyond Kmax if p* > Pmax */
    double alpha, rate_bps, target_bps;
};
/* fluid_dcqcn_fixed_point solves for p*; false if there is none in (1e-12, 1/2). */
bool fluid_dcqcn_fixed_point(const struct fluid_dcqcn *model, struct fluid_dcqcn_point *point);

/* struct fluid_dcqcn_margin: how far the linearised loop is from oscillating; < 0: it does. */
struct fluid_dcqcn_margin {
    double margin_deg, crossover_rad_s;
};
/* fluid_dcqcn_phase_margin linearises around the approximate fixed point, as published; false if
 * the loop's gain never crosses 1. */
bool fluid_dcqcn_phase_margin(const struct fluid_dcqcn *model, struct fluid_dcqcn_margin *margin);

/* struct fluid_dcqcn_sample: one moment of the evolution. */
struct fluid_dcqcn_sample {
    double at_s, queue_bytes, rate_bps, target_bps, alpha;
};
typedef void fluid_dcqcn_sink_fn(void *self, const struct fluid_dcqcn_sample *sample);

/* struct fluid_dcqcn_evolution: what to integrate, and what the last quarter of it showed. */
struct fluid_dcqcn_evolution {
    double duration_s, every_s; /* between samples */
    fluid_dcqcn_sink_fn *sink;  /* may be NULL */
    void *self;
    struct fluid_dcqcn_sample least, most; /* out */
    double queue_mean_bytes;               /* out */
    bool stable; /* out: the queue stayed within +-25 % of the middle of its range */
};
/* fluid_dcqcn_evolve integrates from empty queue, full rates and alpha = 1. */
void fluid_dcqcn_evolve(const struct fluid_dcqcn *model, struct fluid_dcqcn_evolution *evolution);

/* struct fluid_dcqcn_buffer: a shared-buffer switch. */
struct fluid_dcqcn_buffer {
    double buffer_bytes, ports, priorities;
    double flight_bytes; /* headroom per port and priority */
    double beta;         /* of the dynamic PFC threshold */
};
/* fluid_dcqcn_pfc_bytes returns the largest static PFC threshold that cannot overflow the buffer;
 * the other two the largest ECN threshold that still marks before PFC pauses, with the static and
 * the dynamic one. */
double fluid_dcqcn_pfc_bytes(const struct fluid_dcqcn_buffer *buffer);
double fluid_dcqcn_ecn_static_bytes(const struct fluid_dcqcn_buffer *buffer);
double fluid_dcqcn_ecn_dynamic_bytes(const struct fluid_dcqcn_buffer *buffer);

#endif
