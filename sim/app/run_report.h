/* run_report.h - prints one finished run, for people or as JSON. */
#ifndef RAILSIM_APP_RUN_REPORT_H
#define RAILSIM_APP_RUN_REPORT_H

#include <stdio.h>

#include "sim/app/point.h"
#include "sim/base/record.h"

/* run_report_text prints a summary of record to out: how it ended, time to train, phases with
 * their bounds, where the time went, what it cost to simulate. */
void run_report_text(const struct point *point, const struct record *record, FILE *out);

/* run_report_json prints the same and all metrics as one JSON document. */
void run_report_json(const struct point *point, const struct record *record, FILE *out);

/* run_report_time writes a time in seconds into buf[32] as "901.2 s" or "15.02 min" and returns
 * buf. */
char *run_report_time(double time_s, char *buf);

#endif
