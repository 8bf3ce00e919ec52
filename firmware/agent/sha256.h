/*
 * SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104).
 *
 * A product that has SHA-256 already, in hardware or in its TLS library, replaces sha256.c and `struct ks_sha256`; hmac.c
 * stays as it is.
 */
#ifndef KS_SHA256_H
#define KS_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { KS_SHA256_SIZE = 32, KS_SHA256_BLOCK = 64, KS_KEY_SIZE = 32 };

struct ks_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[KS_SHA256_BLOCK];
};

void ks_sha256_start(struct ks_sha256 *hash);
void ks_sha256_update(struct ks_sha256 *hash, const void *bytes, size_t length);

/* Wipes `hash`. */
void ks_sha256_finish(struct ks_sha256 *hash, uint8_t digest[KS_SHA256_SIZE]);

/* Between the two, the message goes into ks_sha256_update(). Finishing wipes `hash`. */
void ks_hmac_start(struct ks_sha256 *hash, const uint8_t key[KS_KEY_SIZE]);
void ks_hmac_finish(struct ks_sha256 *hash, const uint8_t key[KS_KEY_SIZE], uint8_t mac[KS_SHA256_SIZE]);

#endif
