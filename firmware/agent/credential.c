#include "credential.h"

#include <string.h>

#include "smp.h"
#include "wipe.h"

static const char DEFAULT_ENDPOINT[] = "global.azure-devices-provisioning.net";

/* A prefix with the NUL at its end, which separates it from what follows. */
#define HASH_PREFIX(hash, literal) ks_sha256_update((hash), (literal), sizeof(literal))

bool ks_text(const struct ks_cbor_item *item, size_t limit)
{
    if (item->major != KS_CBOR_TEXT || item->value < 1 || item->value > limit) {
        return false;
    }
    for (size_t i = 0; i < item->value; i++) {
        /* These texts go into logs and into a URL. */
        if (item->content[i] < 0x20 || item->content[i] > 0x7E) {
            return false;
        }
    }
    return true;
}

/* The fields of `stage`. Texts have at least one character, byte strings exactly `size`. */
struct field {
    const char *key;
    uint8_t major;
    uint8_t size;
    bool optional;
};

static const struct field RID = { "rid", KS_CBOR_TEXT, KS_RID_MAX, false };
static const struct field SCOPE = { "scope", KS_CBOR_TEXT, KS_SCOPE_MAX, false };
static const struct field ENDPOINT = { "ep", KS_CBOR_TEXT, KS_ENDPOINT_MAX, true };
static const struct field KEY = { "key", KS_CBOR_BYTES, KS_KEY_SIZE, false };
static const struct field ANCHOR = { "an", KS_CBOR_BYTES, KS_ANCHOR_SIZE, true };

/* A field that is absent has length 0. */
static bool read_field(const struct ks_cbor_map *map, const struct field *field, void *to, uint8_t *length)
{
    struct ks_cbor_item item;
    *length = 0;
    if (!ks_cbor_find(map, field->key, &item)) {
        return field->optional;
    }
    const bool bytes = item.major == KS_CBOR_BYTES && item.value == field->size;
    if (field->major == KS_CBOR_BYTES ? !bytes : !ks_text(&item, field->size)) {
        return false;
    }
    memcpy(to, item.content, (size_t)item.value);
    *length = (uint8_t)item.value;
    return true;
}

bool ks_credential_read(struct ks_credential *set, const struct ks_cbor_map *map)
{
    uint8_t key_length;
    const bool good = read_field(map, &RID, set->rid, &set->rid_length)
        && read_field(map, &SCOPE, set->scope, &set->scope_length)
        && read_field(map, &ENDPOINT, set->endpoint, &set->endpoint_length)
        && read_field(map, &KEY, set->key, &key_length)
        && read_field(map, &ANCHOR, set->anchor, &set->anchor_length);
    if (!good) {
        ks_wipe(set, sizeof *set);
    } else if (set->endpoint_length == 0) {
        set->endpoint_length = sizeof DEFAULT_ENDPOINT - 1;
        memcpy(set->endpoint, DEFAULT_ENDPOINT, sizeof DEFAULT_ENDPOINT - 1);
    }
    return good;
}

void ks_credential_write(const struct ks_credential *set, struct ks_cbor_writer *writer)
{
    ks_cbor_put_map(writer, set->anchor_length != 0 ? 5 : 4);
    ks_cbor_put_key(writer, "rid");
    ks_cbor_put_text(writer, set->rid, set->rid_length);
    ks_cbor_put_key(writer, "scope");
    ks_cbor_put_text(writer, set->scope, set->scope_length);
    ks_cbor_put_key(writer, "ep");
    ks_cbor_put_text(writer, set->endpoint, set->endpoint_length);
    ks_cbor_put_key(writer, "key");
    ks_cbor_put_bytes(writer, set->key, KS_KEY_SIZE);
    ks_credential_put_anchor(set, writer);
}

void ks_credential_put_anchor(const struct ks_credential *set, struct ks_cbor_writer *writer)
{
    if (set->anchor_length != 0) {
        ks_cbor_put_key(writer, "an");
        ks_cbor_put_bytes(writer, set->anchor, set->anchor_length);
    }
}

void ks_hash_lengthed(struct ks_sha256 *hash, const void *bytes, size_t length)
{
    const uint8_t count = (uint8_t)length;
    ks_sha256_update(hash, &count, 1);
    ks_sha256_update(hash, bytes, length);
}

/* Finishes and keeps the first `length` bytes. */
static void finish_short(struct ks_sha256 *hash, uint8_t *to, size_t length)
{
    uint8_t digest[KS_SHA256_SIZE];
    ks_sha256_finish(hash, digest);
    memcpy(to, digest, length);
}

void ks_credential_digest(const struct ks_credential *set, uint8_t digest[KS_DIGEST_SIZE])
{
    struct ks_sha256 hash;
    ks_sha256_start(&hash);
    HASH_PREFIX(&hash, "keystation/set/v1");
    ks_hash_lengthed(&hash, set->rid, set->rid_length);
    ks_hash_lengthed(&hash, set->scope, set->scope_length);
    ks_hash_lengthed(&hash, set->endpoint, set->endpoint_length);
    ks_hash_lengthed(&hash, set->anchor, set->anchor_length);
    ks_sha256_update(&hash, set->key, KS_KEY_SIZE);
    finish_short(&hash, digest, KS_DIGEST_SIZE);
}

void ks_credential_fingerprint(const struct ks_credential *set, uint8_t fingerprint[KS_FINGERPRINT_SIZE])
{
    struct ks_sha256 hash;
    ks_sha256_start(&hash);
    HASH_PREFIX(&hash, "keystation/dkfp/v1");
    ks_sha256_update(&hash, set->key, KS_KEY_SIZE);
    finish_short(&hash, fingerprint, KS_FINGERPRINT_SIZE);
}

void ks_credential_prove(const struct ks_credential *set, const uint8_t nonce[KS_NONCE_SIZE],
    uint8_t proof[KS_SHA256_SIZE])
{
    struct ks_sha256 hash;
    ks_hmac_start(&hash, set->key);
    /* The NUL of the prefix stands in no URI: a proof can never be the signature of a SAS token. */
    HASH_PREFIX(&hash, "keystation-verify/v1");
    ks_sha256_update(&hash, nonce, KS_NONCE_SIZE);
    ks_sha256_update(&hash, set->rid, set->rid_length);
    ks_hmac_finish(&hash, set->key, proof);
}

/* Writes the digits of `number` before `end` and returns where they begin. */
static char *decimal(uint64_t number, char *end)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

/* Standard Base64 has three characters that a query string cannot carry. */
static const char *escaped(char character)
{
    switch (character) {
    case '+': return "%2B";
    case '/': return "%2F";
    case '=': return "%3D";
    default: return NULL;
    }
}

void ks_credential_put_token(const struct ks_credential *set, uint64_t expiry, struct ks_cbor_writer *writer)
{
    static const char between[] = "%2Fregistrations%2F";
    static const char before_resource[] = "SharedAccessSignature sr=";
    static const char before_signature[] = "&sig=";
    static const char before_expiry[] = "&se=";
    static const char after_expiry[] = "&skn=registration";
    char digits[20];
    char *const digits_end = digits + sizeof digits;
    const char *const se = decimal(expiry, digits_end);
    const size_t se_length = (size_t)(digits_end - se);

    struct ks_sha256 hash;
    uint8_t mac[KS_SHA256_SIZE];
    ks_hmac_start(&hash, set->key);
    ks_sha256_update(&hash, set->scope, set->scope_length);
    ks_sha256_update(&hash, between, sizeof between - 1);
    ks_sha256_update(&hash, set->rid, set->rid_length);
    ks_sha256_update(&hash, "\n", 1);
    ks_sha256_update(&hash, se, se_length);
    ks_hmac_finish(&hash, set->key, mac);

    char signature[4 * ((KS_SHA256_SIZE + 2) / 3)];
    const size_t characters = ks_base64(mac, sizeof mac, signature);
    size_t length = sizeof before_resource - 1 + set->scope_length + sizeof between - 1 + set->rid_length
        + sizeof before_signature - 1 + characters + sizeof before_expiry - 1 + se_length + sizeof after_expiry - 1;
    for (size_t i = 0; i < characters; i++) {
        length += escaped(signature[i]) != NULL ? 2 : 0;
    }

    ks_cbor_put_text_head(writer, length);
    ks_cbor_put_raw(writer, before_resource, sizeof before_resource - 1);
    ks_cbor_put_raw(writer, set->scope, set->scope_length);
    ks_cbor_put_raw(writer, between, sizeof between - 1);
    ks_cbor_put_raw(writer, set->rid, set->rid_length);
    ks_cbor_put_raw(writer, before_signature, sizeof before_signature - 1);
    for (size_t i = 0; i < characters; i++) {
        const char *const escape = escaped(signature[i]);
        ks_cbor_put_raw(writer, escape != NULL ? escape : &signature[i], escape != NULL ? 3 : 1);
    }
    ks_cbor_put_raw(writer, before_expiry, sizeof before_expiry - 1);
    ks_cbor_put_raw(writer, se, se_length);
    ks_cbor_put_raw(writer, after_expiry, sizeof after_expiry - 1);
}
