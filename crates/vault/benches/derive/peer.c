/* A loop over OpenSSL's one-shot HMAC() with one key: what a program that keeps no state between two derivations does.
 *
 * Standard input: the key, 64 bytes; then IDs, one a line. For each line of "go" on standard input after an empty one it derives the
 * keys of all IDs once, and prints the nanoseconds that took and the XOR of the first eight bytes of all keys. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT 65536

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(void) {
    static char ids[LIMIT][160];
    static size_t lengths[LIMIT];
    unsigned char key[64], mac[EVP_MAX_MD_SIZE];
    char line[160];
    size_t count = 0;
    if (fread(key, 1, sizeof key, stdin) != sizeof key) return 2;
    while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n') {
        if (count == LIMIT) return 2;
        lengths[count] = strcspn(line, "\n");
        memcpy(ids[count], line, lengths[count]);
        count++;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t all = 0, start = now();
        for (size_t i = 0; i < count; i++) {
            unsigned int length = 0;
            uint64_t first;
            if (HMAC(EVP_sha256(), key, sizeof key, (const unsigned char *)ids[i], lengths[i], mac, &length) == NULL) return 1;
            memcpy(&first, mac, sizeof first);
            all ^= first;
        }
        uint64_t took = now() - start;
        printf("%llu %llu\n", (unsigned long long)took, (unsigned long long)all);
        fflush(stdout);
    }
    return 0;
}
