/* The credential set, and what the device computes of it (docs/device-protocol.md, section 3). */
#ifndef KS_CREDENTIAL_H
#define KS_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"
#include "sha256.h"

enum {
    KS_RID_MAX = 128,
    KS_SCOPE_MAX = 32,
    KS_ENDPOINT_MAX = 64,
    KS_ANCHOR_SIZE = 20,
    KS_DIGEST_SIZE = 8,
    KS_FINGERPRINT_SIZE = 12,
    KS_NONCE_SIZE = 32,
    /* The CBOR map of the largest set: heads and keys, then what they name. */
    KS_PAYLOAD_MAX = (1 + 4 + 2 + 6 + 2 + 3 + 2 + 4 + 2 + 3 + 1) + KS_RID_MAX + KS_SCOPE_MAX + KS_ENDPOINT_MAX
        + KS_KEY_SIZE + KS_ANCHOR_SIZE,
};

/* Texts are printable ASCII without a NUL at the end; a length of 0 for `rid` says that there is no set. */
struct ks_credential {
    uint8_t rid_length;
    uint8_t scope_length;
    uint8_t endpoint_length;
    uint8_t anchor_length; /* KS_ANCHOR_SIZE, or 0: the station told none */
    char rid[KS_RID_MAX];
    char scope[KS_SCOPE_MAX];
    char endpoint[KS_ENDPOINT_MAX];
    uint8_t key[KS_KEY_SIZE];
    uint8_t anchor[KS_ANCHOR_SIZE]; /* of the station's log; no secret, and nothing to the device */
};

/* A text field of a request: printable ASCII, from 1 to `limit` characters. */
bool ks_text(const struct ks_cbor_item *item, size_t limit);

/* Takes the set from the map of `stage`. False, and no set, when a field is missing or not as it should be. */
bool ks_credential_read(struct ks_credential *set, const struct ks_cbor_map *map);

/* Writes the map as it is stored: its fields in their order. */
void ks_credential_write(const struct ks_credential *set, struct ks_cbor_writer *writer);

/* Writes `an` with its key, if the set came with an anchor. */
void ks_credential_put_anchor(const struct ks_credential *set, struct ks_cbor_writer *writer);

void ks_credential_digest(const struct ks_credential *set, uint8_t digest[KS_DIGEST_SIZE]);
void ks_credential_fingerprint(const struct ks_credential *set, uint8_t fingerprint[KS_FINGERPRINT_SIZE]);
void ks_credential_prove(const struct ks_credential *set, const uint8_t nonce[KS_NONCE_SIZE],
    uint8_t proof[KS_SHA256_SIZE]);

/* Writes a SAS token for DPS, as one CBOR text. `expiry` in seconds since 1970. */
void ks_credential_put_token(const struct ks_credential *set, uint64_t expiry, struct ks_cbor_writer *writer);

/* Adds a length byte and the bytes: L(x) of the specification. At most 255 bytes. */
void ks_hash_lengthed(struct ks_sha256 *hash, const void *bytes, size_t length);

#endif
