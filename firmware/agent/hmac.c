#include "sha256.h"

#include <string.h>

#include "wipe.h"

/* The key is shorter than a block: it is filled up with zeros, never hashed first. */
static void start(struct ks_sha256 *hash, const uint8_t key[KS_KEY_SIZE], uint8_t pad)
{
    uint8_t block[KS_SHA256_BLOCK];
    memset(block, pad, sizeof block);
    for (unsigned i = 0; i < KS_KEY_SIZE; i++) {
        block[i] = (uint8_t)(key[i] ^ pad);
    }
    ks_sha256_start(hash);
    ks_sha256_update(hash, block, sizeof block);
    ks_wipe(block, sizeof block);
}

void ks_hmac_start(struct ks_sha256 *hash, const uint8_t key[KS_KEY_SIZE])
{
    start(hash, key, 0x36);
}

void ks_hmac_finish(struct ks_sha256 *hash, const uint8_t key[KS_KEY_SIZE], uint8_t mac[KS_SHA256_SIZE])
{
    ks_sha256_finish(hash, mac);
    start(hash, key, 0x5C);
    ks_sha256_update(hash, mac, KS_SHA256_SIZE);
    ks_sha256_finish(hash, mac);
}
