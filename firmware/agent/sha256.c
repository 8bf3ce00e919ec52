#include "sha256.h"

#include <string.h>

#include "wipe.h"

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word >> bits | word << (32 - bits);
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[16]; /* the last 16 words of the message schedule: the other 48 would cost 192 bytes of stack */
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (unsigned t = 0; t < 64; t++) {
        if (t < 16) {
            w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16
                | (uint32_t)block[4 * t + 2] << 8 | (uint32_t)block[4 * t + 3];
        } else {
            const uint32_t two = w[(t - 2) % 16];
            const uint32_t fifteen = w[(t - 15) % 16];
            w[t % 16] += (rotate(two, 17) ^ rotate(two, 19) ^ two >> 10) + w[(t - 7) % 16]
                + (rotate(fifteen, 7) ^ rotate(fifteen, 18) ^ fifteen >> 3);
        }
        const uint32_t e = v[4];
        const uint32_t a = v[0];
        const uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + K[t]
            + w[t % 16];
        const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++) {
        state[i] += v[i];
    }
    ks_wipe(w, sizeof w);
    ks_wipe(v, sizeof v);
}

void ks_sha256_start(struct ks_sha256 *hash)
{
    static const uint32_t initial[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memcpy(hash->state, initial, sizeof initial);
    hash->length = 0;
}

void ks_sha256_update(struct ks_sha256 *hash, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    while (length-- > 0) {
        const size_t at = (size_t)(hash->length++ % KS_SHA256_BLOCK);
        hash->block[at] = *from++;
        if (at + 1 == KS_SHA256_BLOCK) {
            compress(hash->state, hash->block);
        }
    }
}

void ks_sha256_finish(struct ks_sha256 *hash, uint8_t digest[KS_SHA256_SIZE])
{
    const uint64_t bits = hash->length * 8;
    static const uint8_t one = 0x80;
    static const uint8_t zero = 0;
    ks_sha256_update(hash, &one, 1);
    while (hash->length % KS_SHA256_BLOCK != KS_SHA256_BLOCK - 8) {
        ks_sha256_update(hash, &zero, 1);
    }
    for (unsigned byte = 8; byte-- > 0;) {
        const uint8_t part = (uint8_t)(bits >> (8 * byte));
        ks_sha256_update(hash, &part, 1);
    }
    for (unsigned i = 0; i < KS_SHA256_SIZE; i++) {
        digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    }
    ks_wipe(hash, sizeof *hash);
}
