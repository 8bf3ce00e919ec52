#include "commands.h"

#include <string.h>

#include "storage.h"
#include "wipe.h"

enum { STATE_EMPTY = 0, STATE_KEYED = 1, STATE_LOCKED = 2 };

static bool find_bytes(const struct ks_exchange *exchange, const char *key, size_t length, const uint8_t **bytes)
{
    struct ks_cbor_item item;
    if (!ks_cbor_find(&exchange->request, key, &item) || item.major != KS_CBOR_BYTES || item.value != length) {
        return false;
    }
    *bytes = item.content;
    return true;
}

static size_t mac_size(const struct ks_identity *identity)
{
    return identity->mac != NULL ? KS_MAC_SIZE : 0;
}

static size_t serial_length(const struct ks_identity *identity)
{
    return identity->serial != NULL ? strlen(identity->serial) : 0;
}

/* Whether `id` is the digest of this device. */
static bool is_me(const struct ks_identity *identity, const uint8_t *id)
{
    struct ks_sha256 hash;
    uint8_t digest[KS_SHA256_SIZE];
    ks_sha256_start(&hash);
    ks_sha256_update(&hash, "keystation/device/v1", sizeof "keystation/device/v1");
    ks_hash_lengthed(&hash, identity->mac, mac_size(identity));
    ks_hash_lengthed(&hash, identity->serial, serial_length(identity));
    ks_sha256_finish(&hash, digest);
    return memcmp(digest, id, KS_DIGEST_SIZE) == 0;
}

/* Reads the set that the device holds, for a command that needs one. */
static enum ks_code load(const struct ks_agent *agent, struct ks_credential *set, uint32_t *generation)
{
    switch (ks_storage_load(agent->port, set, generation)) {
    case KS_HELD_SET: return KS_OK;
    case KS_HELD_NONE: return KS_EMPTY;
    default: return KS_STORAGE;
    }
}

/* What `info` and `who` say: storage that cannot be read holds nothing there, and whoever needs the set is told the error. */
static uint32_t generation_of(const struct ks_agent *agent)
{
    uint32_t generation;
    (void)ks_storage_generation(agent->port, &generation);
    return generation;
}

static unsigned state_of(const struct ks_agent *agent, uint32_t generation)
{
    if (ks_storage_locked(agent->port)) {
        return STATE_LOCKED;
    }
    return generation == 0 ? STATE_EMPTY : STATE_KEYED;
}

static unsigned identifiers(const struct ks_identity *identity)
{
    return (identity->mac != NULL ? 1U : 0U) + (identity->serial != NULL ? 1U : 0U);
}

static void put_identifiers(struct ks_cbor_writer *response, const struct ks_identity *identity)
{
    if (identity->mac != NULL) {
        ks_cbor_put_key(response, "mac");
        ks_cbor_put_bytes(response, identity->mac, KS_MAC_SIZE);
    }
    if (identity->serial != NULL) {
        ks_cbor_put_key(response, "sn");
        ks_cbor_put_key(response, identity->serial);
    }
}

static void put_state(struct ks_cbor_writer *response, const struct ks_agent *agent, uint32_t generation)
{
    ks_cbor_put_key(response, "st");
    ks_cbor_put_uint(response, state_of(agent, generation));
    ks_cbor_put_key(response, "boot");
    ks_cbor_put_uint(response, agent->identity->boot);
}

static enum ks_code info(struct ks_exchange *exchange)
{
    const struct ks_agent *const agent = exchange->agent;
    const struct ks_identity *const identity = agent->identity;
    struct ks_cbor_writer *const response = &exchange->response;
    const uint32_t generation = generation_of(agent);

    ks_cbor_put_map(response, 6U + identifiers(identity));
    ks_cbor_put_key(response, "v");
    ks_cbor_put_uint(response, 1);
    put_identifiers(response, identity);
    ks_cbor_put_key(response, "fw");
    ks_cbor_put_key(response, identity->firmware);
    ks_cbor_put_key(response, "cap");
    ks_cbor_put_uint(response, identity->capabilities);
    ks_cbor_put_key(response, "gen");
    ks_cbor_put_uint(response, generation);
    put_state(response, agent, generation);
    return KS_OK;
}

static enum ks_code who(struct ks_exchange *exchange)
{
    const struct ks_agent *const agent = exchange->agent;
    ks_cbor_put_map(&exchange->response, 2U + identifiers(agent->identity));
    put_identifiers(&exchange->response, agent->identity);
    put_state(&exchange->response, agent, generation_of(agent));
    return KS_OK;
}

static enum ks_code stage(struct ks_exchange *exchange)
{
    struct ks_agent *const agent = exchange->agent;
    struct ks_credential set;
    enum ks_code code = KS_OK;
    if (!ks_credential_read(&set, &exchange->request)) {
        code = KS_BAD_REQUEST;
    } else if (ks_storage_locked(agent->port)) {
        code = KS_LOCKED;
    } else {
        agent->staged = set;
        ks_cbor_put_map(&exchange->response, 0);
    }
    ks_wipe(&set, sizeof set);
    return code;
}

static void put_generation(struct ks_exchange *exchange, uint32_t generation)
{
    ks_cbor_put_map(&exchange->response, 1);
    ks_cbor_put_key(&exchange->response, "gen");
    ks_cbor_put_uint(&exchange->response, generation);
}

/* Whether the device holds the set with this digest. */
static bool holds(const struct ks_agent *agent, const uint8_t *digest, uint32_t *generation)
{
    struct ks_credential set;
    uint8_t held[KS_DIGEST_SIZE];
    bool same = false;
    if (ks_storage_load(agent->port, &set, generation) == KS_HELD_SET) {
        ks_credential_digest(&set, held);
        same = memcmp(held, digest, KS_DIGEST_SIZE) == 0;
        ks_wipe(&set, sizeof set);
    }
    return same;
}

/* The order of the checks is part of the protocol: a repeated commit finds its own work done, and that is no error. */
static enum ks_code commit(struct ks_exchange *exchange)
{
    struct ks_agent *const agent = exchange->agent;
    const uint8_t *id;
    const uint8_t *wanted;
    struct ks_cbor_item overwrite = { KS_CBOR_SIMPLE, KS_CBOR_FALSE, NULL };
    if (!find_bytes(exchange, "id", KS_DIGEST_SIZE, &id) || !find_bytes(exchange, "dg", KS_DIGEST_SIZE, &wanted)) {
        return KS_BAD_REQUEST;
    }
    if (ks_cbor_find(&exchange->request, "ow", &overwrite)
        && (overwrite.major != KS_CBOR_SIMPLE
            || (overwrite.value != KS_CBOR_FALSE && overwrite.value != KS_CBOR_TRUE))) {
        return KS_BAD_REQUEST;
    }
    if (!is_me(agent->identity, id)) {
        return KS_WRONG_DEVICE;
    }

    uint32_t generation;
    if (!holds(agent, wanted, &generation)) {
        if (ks_storage_locked(agent->port)) {
            return KS_LOCKED;
        }
        uint8_t staged[KS_DIGEST_SIZE];
        ks_credential_digest(&agent->staged, staged);
        if (agent->staged.rid_length == 0 || memcmp(staged, wanted, KS_DIGEST_SIZE) != 0) {
            return KS_NOT_STAGED;
        }
        if (overwrite.value != KS_CBOR_TRUE) {
            switch (ks_storage_generation(agent->port, &generation)) {
            case KS_HELD_NONE: break;
            case KS_HELD_SET: return KS_KEYED;
            default: return KS_STORAGE; /* what could not be read may be a set, and this commit may not replace one */
            }
        }
        if (!ks_storage_store(agent->port, &agent->staged, &generation)) {
            return KS_STORAGE; /* the set stays staged: repeating the commit tries again */
        }
    }
    ks_wipe(&agent->staged, sizeof agent->staged);
    put_generation(exchange, generation);
    return KS_OK;
}

/* From the storage, not from memory: the proof is asked for after a restart to show that the key was kept. */
static enum ks_code prove(struct ks_exchange *exchange)
{
    const uint8_t *nonce;
    if (!find_bytes(exchange, "n", KS_NONCE_SIZE, &nonce)) {
        return KS_BAD_REQUEST;
    }
    struct ks_credential set;
    uint32_t generation;
    const enum ks_code code = load(exchange->agent, &set, &generation);
    if (code == KS_OK) {
        uint8_t proof[KS_SHA256_SIZE];
        ks_credential_prove(&set, nonce, proof);
        ks_wipe(&set, sizeof set);
        ks_cbor_put_map(&exchange->response, 1);
        ks_cbor_put_key(&exchange->response, "p");
        ks_cbor_put_bytes(&exchange->response, proof, sizeof proof);
    }
    return code;
}

static enum ks_code sas(struct ks_exchange *exchange)
{
    struct ks_cbor_item expiry;
    if (!ks_cbor_find(&exchange->request, "se", &expiry) || expiry.major != KS_CBOR_UINT) {
        return KS_BAD_REQUEST;
    }
    if (ks_storage_locked(exchange->agent->port)) {
        return KS_LOCKED;
    }
    struct ks_credential set;
    uint32_t generation;
    const enum ks_code code = load(exchange->agent, &set, &generation);
    if (code == KS_OK) {
        ks_cbor_put_map(&exchange->response, 1);
        ks_cbor_put_key(&exchange->response, "tok");
        ks_credential_put_token(&set, expiry.value, &exchange->response);
        ks_wipe(&set, sizeof set);
    }
    return code;
}

static enum ks_code set(struct ks_exchange *exchange)
{
    struct ks_credential held;
    uint32_t generation;
    const enum ks_code code = load(exchange->agent, &held, &generation);
    if (code == KS_OK) {
        struct ks_cbor_writer *const response = &exchange->response;
        uint8_t fingerprint[KS_FINGERPRINT_SIZE];
        ks_credential_fingerprint(&held, fingerprint);
        ks_cbor_put_map(response, held.anchor_length != 0 ? 6 : 5);
        ks_cbor_put_key(response, "rid");
        ks_cbor_put_text(response, held.rid, held.rid_length);
        ks_cbor_put_key(response, "scope");
        ks_cbor_put_text(response, held.scope, held.scope_length);
        ks_cbor_put_key(response, "ep");
        ks_cbor_put_text(response, held.endpoint, held.endpoint_length);
        ks_cbor_put_key(response, "fp");
        ks_cbor_put_bytes(response, fingerprint, sizeof fingerprint);
        ks_cbor_put_key(response, "gen");
        ks_cbor_put_uint(response, generation);
        ks_credential_put_anchor(&held, response);
        ks_wipe(&held, sizeof held);
    }
    return code;
}

static enum ks_code lock(struct ks_exchange *exchange)
{
    struct ks_agent *const agent = exchange->agent;
    const uint8_t *id;
    if (!find_bytes(exchange, "id", KS_DIGEST_SIZE, &id)) {
        return KS_BAD_REQUEST;
    }
    if (!is_me(agent->identity, id)) {
        return KS_WRONG_DEVICE;
    }
    uint32_t generation;
    switch (ks_storage_generation(agent->port, &generation)) {
    case KS_HELD_SET: break;
    case KS_HELD_NONE: return KS_EMPTY;
    default: return KS_STORAGE;
    }
    if (!ks_storage_locked(agent->port) && !ks_storage_lock(agent->port)) {
        return KS_STORAGE;
    }
    ks_wipe(&agent->staged, sizeof agent->staged);
    ks_cbor_put_map(&exchange->response, 0);
    return KS_OK;
}

static enum ks_code echo(struct ks_exchange *exchange)
{
    struct ks_cbor_item text;
    if (!ks_cbor_find(&exchange->request, "d", &text) || text.major != KS_CBOR_TEXT) {
        return KS_BAD_REQUEST;
    }
    ks_cbor_put_map(&exchange->response, 1);
    ks_cbor_put_key(&exchange->response, "r");
    ks_cbor_put_text(&exchange->response, (const char *)text.content, (size_t)text.value);
    return KS_OK;
}

static enum ks_code reset(struct ks_exchange *exchange)
{
    ks_cbor_put_map(&exchange->response, 0);
    exchange->restart = true;
    return KS_OK;
}

static const struct ks_command COMMANDS[] = {
    { KS_GROUP_OS, 0, KS_WRITE, 0, echo },
    { KS_GROUP_OS, 5, KS_WRITE, 0, reset },
    { KS_GROUP_KEYSTATION, 0, KS_READ, 0, info },
    { KS_GROUP_KEYSTATION, 1, KS_WRITE, 0, stage },
    { KS_GROUP_KEYSTATION, 2, KS_WRITE, 0, commit },
    { KS_GROUP_KEYSTATION, 3, KS_READ, 0, prove },
    { KS_GROUP_KEYSTATION, 4, KS_READ, KS_CAN_SAS, sas },
    { KS_GROUP_KEYSTATION, 5, KS_READ, 0, set },
    { KS_GROUP_KEYSTATION, 6, KS_WRITE, KS_CAN_LOCK, lock },
    { KS_GROUP_KEYSTATION, 7, KS_READ, 0, who },
};

const struct ks_command *ks_command_find(const struct ks_agent *agent, const uint8_t *packet)
{
    const unsigned group = (unsigned)packet[4] << 8 | packet[5];
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        const struct ks_command *const command = &COMMANDS[i];
        if (command->group == group && command->number == packet[7] && command->operation == (packet[0] & 7U)
            && (command->capability & ~agent->identity->capabilities) == 0) {
            return command;
        }
    }
    return NULL;
}
