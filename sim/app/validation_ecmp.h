/* validation_ecmp.h - what hashing flows onto links leaves of a fabric, by water-filling. */
#ifndef RAILSIM_APP_VALIDATION_ECMP_H
#define RAILSIM_APP_VALIDATION_ECMP_H

#include <stdint.h>

/* struct validation_ecmp: a leaf-spine fabric in which all cables have one rate, and random
 * permutations in which every host sends to one of another leaf, over `pairs` queue pairs. */
struct validation_ecmp {
    int64_t leaves, hosts, spines, links; /* hosts of a leaf; parallel cables of leaf and spine */
    int64_t pairs, permutations;
};

/* validation_ecmp_rate returns the mean rate of a host, in units of a cable's: max-min fair rates
 * on the paths that the switches' routes and ECMP rule choose. */
double validation_ecmp_rate(const struct validation_ecmp *ecmp);

#endif
