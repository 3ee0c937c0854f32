/* replay.h - main of a fuzz target without a fuzzer: runs each file named on the command line. */
#ifndef RAILSIM_FUZZ_REPLAY_H
#define RAILSIM_FUZZ_REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");
        size_t room = (size_t)1 << 20;
        uint8_t *data = malloc(room);
        if (!in || !data) {
            perror(argv[i]);
            return 3;
        }
        size_t size = fread(data, 1, room, in);
        fclose(in);
        uint8_t *exact = malloc(size ? size : 1); /* so that a sanitizer sees the end */
        if (!exact) return 3;
        for (size_t j = 0; j < size; j++)
            exact[j] = data[j];
        free(data);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}

#endif
