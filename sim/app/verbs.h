/* verbs.h - one function per verb; argv[0] is the verb; returns the exit code. */
#ifndef RAILSIM_APP_VERBS_H
#define RAILSIM_APP_VERBS_H

int run_main(int argc, char **argv);
int sweep_main(int argc, char **argv);
int plot_main(int argc, char **argv);
int show_main(int argc, char **argv);
int compare_main(int argc, char **argv);
int validate_main(int argc, char **argv);
int calibrate_main(int argc, char **argv);
int verb_check_main(int argc, char **argv);
int explain_main(int argc, char **argv);
int explain_list_main(int argc, char **argv);
int explain_schema_main(int argc, char **argv);
int fluid_main(int argc, char **argv);
int topo_main(int argc, char **argv);
int collective_main(int argc, char **argv);
int headroom_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int doctor_main(int argc, char **argv);

#endif
