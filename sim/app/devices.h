/* devices.h - the device catalogue that is built into the program: topologies/devices.yaml. */
#ifndef RAILSIM_APP_DEVICES_H
#define RAILSIM_APP_DEVICES_H

#include "models/cluster/device.h"
#include "sim/base/arena.h"
#include "sim/base/err.h"

struct tree_node;

#define DEVICES_FILE "topologies/devices.yaml"

/* devices_load reads the built-in catalogue into arena; NULL if it is wrong (all errors in err). */
const struct device_catalogue *devices_load(struct arena *arena, struct err *err);

/* devices_complete adds to a topology the keys that node.system and node.accelerator stand for,
 * unless they are given: node.gpu_link_rate, node.device.memory, collectives.ll.channel_rate, ...;
 * a server also gives collectives.cpu and fabric.link_rate, its network rate over its ports. Names
 * are looked up in the file of the key `devices`, then in the built-in catalogue. Call it after all
 * overrides; false if a name is unknown. */
bool devices_complete(struct arena *arena, struct tree_node *root, struct err *err);

/* devices_is_catalogue tells a file of devices from a topology. */
bool devices_is_catalogue(const struct tree_node *root);

/* devices_print lists a catalogue on stdout: a table each of accelerators, NICs and systems. */
void devices_print(const struct device_catalogue *catalogue, struct arena *arena);

#endif
