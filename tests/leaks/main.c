/* leak [MODIFIER…] WAY [ARGUMENT…]
 *
 * Each way tries to reach the network and says how that went in one line. Modifiers (started.c) change who makes the
 * calls, on which socket, in which thread, process or program: "leak raw thread connect 203.0.113.6 7". */
#include "leak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void run(char **words) {
    static const struct way *const all[] = {stream_ways, datagram_ways, family_ways, name_ways, ring_ways,
                                            life_ways};
    for (int taken; *words; words += taken) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            for (const struct way *way = all[i]; way->name; way++) {
                if (strcmp(*words, way->name) != 0) continue;
                int count = 0;
                while (words[1 + count]) count++;
                if (count == way->arguments) way->run(words + 1);
                fprintf(stderr, "%s takes %d arguments, not %d\n", way->name, way->arguments, count);
                exit(2);
            }
        }
        if ((taken = modifier(words)) == 0 && (taken = life_modifier(words)) == 0) break;
    }
    fprintf(stderr, "no way: %s\n", *words ? *words : "(none)");
    exit(2);
}

int main(int count, char **words) {
    (void)count;
    /* Nothing here takes as long on any machine. */
    alarm(20);
    run(words + 1);
}
