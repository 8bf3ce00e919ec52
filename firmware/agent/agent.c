#include "keystation_agent.h"

#include <string.h>

#include "storage.h"
#include "wipe.h"

enum { GROUP_OS = 0, GROUP_KEYSTATION = 0x4B53 };
enum { READ = 0, WRITE = 2 };

/* Error codes of the injection group; OK and the two below never go into its error map. */
enum code {
    OK = 0,
    BAD_REQUEST = 1,
    WRONG_DEVICE = 2,
    KEYED = 3,
    LOCKED = 4,
    STORAGE = 5,
    NOT_STAGED = 6,
    EMPTY = 7,
};

/* Error codes of SMP itself. */
enum { SMP_INVALID = 3, SMP_UNSUPPORTED = 8 };

enum { STATE_EMPTY = 0, STATE_KEYED = 1, STATE_LOCKED = 2 };

/* One request while it is carried out. The response is written into the agent's buffer, after the header. */
struct exchange {
    struct ks_agent *agent;
    struct ks_cbor_map request;
    struct ks_cbor_writer response;
    bool restart;
};

static bool find_bytes(const struct exchange *exchange, const char *key, size_t length, const uint8_t **bytes)
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
static enum code load(const struct ks_agent *agent, struct ks_credential *set, uint32_t *generation)
{
    switch (ks_storage_load(agent->port, set, generation)) {
    case KS_HELD_SET: return OK;
    case KS_HELD_NONE: return EMPTY;
    default: return STORAGE;
    }
}

static enum code info(struct exchange *exchange)
{
    const struct ks_agent *const agent = exchange->agent;
    const struct ks_identity *const identity = agent->identity;
    struct ks_cbor_writer *const response = &exchange->response;
    const uint32_t generation = ks_storage_generation(agent->port);
    unsigned state = generation == 0 ? STATE_EMPTY : STATE_KEYED;
    if (ks_storage_locked(agent->port)) {
        state = STATE_LOCKED;
    }

    ks_cbor_put_map(response, 6U + (identity->mac != NULL) + (identity->serial != NULL));
    ks_cbor_put_key(response, "v");
    ks_cbor_put_uint(response, 1);
    if (identity->mac != NULL) {
        ks_cbor_put_key(response, "mac");
        ks_cbor_put_bytes(response, identity->mac, KS_MAC_SIZE);
    }
    if (identity->serial != NULL) {
        ks_cbor_put_key(response, "sn");
        ks_cbor_put_key(response, identity->serial);
    }
    ks_cbor_put_key(response, "fw");
    ks_cbor_put_key(response, identity->firmware);
    ks_cbor_put_key(response, "cap");
    ks_cbor_put_uint(response, identity->capabilities);
    ks_cbor_put_key(response, "gen");
    ks_cbor_put_uint(response, generation);
    ks_cbor_put_key(response, "st");
    ks_cbor_put_uint(response, state);
    ks_cbor_put_key(response, "boot");
    ks_cbor_put_uint(response, identity->boot);
    return OK;
}

static enum code stage(struct exchange *exchange)
{
    struct ks_agent *const agent = exchange->agent;
    struct ks_credential set;
    enum code code = OK;
    if (!ks_credential_read(&set, &exchange->request)) {
        code = BAD_REQUEST;
    } else if (ks_storage_locked(agent->port)) {
        code = LOCKED;
    } else {
        agent->staged = set;
        ks_cbor_put_map(&exchange->response, 0);
    }
    ks_wipe(&set, sizeof set);
    return code;
}

static void put_generation(struct exchange *exchange, uint32_t generation)
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
static enum code commit(struct exchange *exchange)
{
    struct ks_agent *const agent = exchange->agent;
    const uint8_t *id;
    const uint8_t *wanted;
    struct ks_cbor_item overwrite = { KS_CBOR_SIMPLE, KS_CBOR_FALSE, NULL };
    if (!find_bytes(exchange, "id", KS_DIGEST_SIZE, &id) || !find_bytes(exchange, "dg", KS_DIGEST_SIZE, &wanted)) {
        return BAD_REQUEST;
    }
    if (ks_cbor_find(&exchange->request, "ow", &overwrite)
        && (overwrite.major != KS_CBOR_SIMPLE
            || (overwrite.value != KS_CBOR_FALSE && overwrite.value != KS_CBOR_TRUE))) {
        return BAD_REQUEST;
    }
    if (!is_me(agent->identity, id)) {
        return WRONG_DEVICE;
    }

    uint32_t generation;
    if (!holds(agent, wanted, &generation)) {
        if (ks_storage_locked(agent->port)) {
            return LOCKED;
        }
        uint8_t staged[KS_DIGEST_SIZE];
        ks_credential_digest(&agent->staged, staged);
        if (agent->staged.rid_length == 0 || memcmp(staged, wanted, KS_DIGEST_SIZE) != 0) {
            return NOT_STAGED;
        }
        if (overwrite.value != KS_CBOR_TRUE && ks_storage_generation(agent->port) != 0) {
            return KEYED;
        }
        if (!ks_storage_store(agent->port, &agent->staged, &generation)) {
            return STORAGE; /* the set stays staged: repeating the commit tries again */
        }
    }
    ks_wipe(&agent->staged, sizeof agent->staged);
    put_generation(exchange, generation);
    return OK;
}

/* From the storage, not from memory: the proof is asked for after a restart to show that the key was kept. */
static enum code prove(struct exchange *exchange)
{
    const uint8_t *nonce;
    if (!find_bytes(exchange, "n", KS_NONCE_SIZE, &nonce)) {
        return BAD_REQUEST;
    }
    struct ks_credential set;
    uint32_t generation;
    const enum code code = load(exchange->agent, &set, &generation);
    if (code == OK) {
        uint8_t proof[KS_SHA256_SIZE];
        ks_credential_prove(&set, nonce, proof);
        ks_wipe(&set, sizeof set);
        ks_cbor_put_map(&exchange->response, 1);
        ks_cbor_put_key(&exchange->response, "p");
        ks_cbor_put_bytes(&exchange->response, proof, sizeof proof);
    }
    return code;
}

static enum code sas(struct exchange *exchange)
{
    struct ks_cbor_item expiry;
    if (!ks_cbor_find(&exchange->request, "se", &expiry) || expiry.major != KS_CBOR_UINT) {
        return BAD_REQUEST;
    }
    if (ks_storage_locked(exchange->agent->port)) {
        return LOCKED;
    }
    struct ks_credential set;
    uint32_t generation;
    const enum code code = load(exchange->agent, &set, &generation);
    if (code == OK) {
        ks_cbor_put_map(&exchange->response, 1);
        ks_cbor_put_key(&exchange->response, "tok");
        ks_credential_put_token(&set, expiry.value, &exchange->response);
        ks_wipe(&set, sizeof set);
    }
    return code;
}

static enum code set(struct exchange *exchange)
{
    struct ks_credential held;
    uint32_t generation;
    const enum code code = load(exchange->agent, &held, &generation);
    if (code == OK) {
        struct ks_cbor_writer *const response = &exchange->response;
        uint8_t fingerprint[KS_FINGERPRINT_SIZE];
        ks_credential_fingerprint(&held, fingerprint);
        ks_cbor_put_map(response, 5);
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
        ks_wipe(&held, sizeof held);
    }
    return code;
}

static enum code lock(struct exchange *exchange)
{
    struct ks_agent *const agent = exchange->agent;
    const uint8_t *id;
    if (!find_bytes(exchange, "id", KS_DIGEST_SIZE, &id)) {
        return BAD_REQUEST;
    }
    if (!is_me(agent->identity, id)) {
        return WRONG_DEVICE;
    }
    if (ks_storage_generation(agent->port) == 0) {
        return EMPTY;
    }
    if (!ks_storage_locked(agent->port) && !ks_storage_lock(agent->port)) {
        return STORAGE;
    }
    ks_wipe(&agent->staged, sizeof agent->staged);
    ks_cbor_put_map(&exchange->response, 0);
    return OK;
}

static enum code echo(struct exchange *exchange)
{
    struct ks_cbor_item text;
    if (!ks_cbor_find(&exchange->request, "d", &text) || text.major != KS_CBOR_TEXT) {
        return BAD_REQUEST;
    }
    ks_cbor_put_map(&exchange->response, 1);
    ks_cbor_put_key(&exchange->response, "r");
    ks_cbor_put_text(&exchange->response, (const char *)text.content, (size_t)text.value);
    return OK;
}

static enum code reset(struct exchange *exchange)
{
    ks_cbor_put_map(&exchange->response, 0);
    exchange->restart = true;
    return OK;
}

struct command {
    uint16_t group;
    uint8_t number;
    uint8_t operation;
    uint32_t capability; /* that the device must have for it */
    enum code (*run)(struct exchange *exchange);
};

static const struct command COMMANDS[] = {
    { GROUP_OS, 0, WRITE, 0, echo },
    { GROUP_OS, 5, WRITE, 0, reset },
    { GROUP_KEYSTATION, 0, READ, 0, info },
    { GROUP_KEYSTATION, 1, WRITE, 0, stage },
    { GROUP_KEYSTATION, 2, WRITE, 0, commit },
    { GROUP_KEYSTATION, 3, READ, 0, prove },
    { GROUP_KEYSTATION, 4, READ, KS_CAN_SAS, sas },
    { GROUP_KEYSTATION, 5, READ, 0, set },
    { GROUP_KEYSTATION, 6, WRITE, KS_CAN_LOCK, lock },
};

static const struct command *find_command(const struct ks_agent *agent, const uint8_t *packet)
{
    const unsigned group = (unsigned)packet[4] << 8 | packet[5];
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        const struct command *const command = &COMMANDS[i];
        if (command->group == group && command->number == packet[7] && command->operation == (packet[0] & 7U)
            && (command->capability & ~agent->identity->capabilities) == 0) {
            return command;
        }
    }
    return NULL;
}

/* {"rc": code} */
static void put_smp_error(struct ks_cbor_writer *response, unsigned code)
{
    ks_cbor_put_map(response, 1);
    ks_cbor_put_key(response, "rc");
    ks_cbor_put_uint(response, code);
}

/* {"err": {"group": group, "rc": code}} */
static void put_group_error(struct ks_cbor_writer *response, unsigned group, enum code code)
{
    ks_cbor_put_map(response, 1);
    ks_cbor_put_key(response, "err");
    ks_cbor_put_map(response, 2);
    ks_cbor_put_key(response, "group");
    ks_cbor_put_uint(response, group);
    ks_cbor_put_key(response, "rc");
    ks_cbor_put_uint(response, code);
}

static void carry_out(struct exchange *exchange, const struct command *command, const uint8_t *packet, size_t length)
{
    if (command == NULL) {
        put_smp_error(&exchange->response, SMP_UNSUPPORTED);
        return;
    }
    const enum ks_cbor_verdict verdict =
        ks_cbor_open(packet + KS_PACKET_MIN, length - KS_PACKET_MIN, &exchange->request);
    const enum code code = verdict == KS_CBOR_OK ? command->run(exchange) : BAD_REQUEST;
    if (verdict == KS_CBOR_MALFORMED || (code != OK && command->group == GROUP_OS)) {
        put_smp_error(&exchange->response, SMP_INVALID);
    } else if (code != OK) {
        put_group_error(&exchange->response, command->group, code);
    }
}

static void answer(struct ks_agent *agent, const uint8_t *packet, size_t length)
{
    const unsigned operation = packet[0] & 7U;
    /* Version 1, and a request: to answer answers would make two devices on one line talk for ever. */
    if ((packet[0] & 0xF8U) != 0x08U || (operation != READ && operation != WRITE)) {
        return;
    }
    uint8_t *const body = agent->response + KS_PACKET_MIN;
    struct exchange exchange = { 0 };
    exchange.agent = agent;
    exchange.response = (struct ks_cbor_writer) { body, agent->response + sizeof agent->response, false };
    carry_out(&exchange, find_command(agent, packet), packet, length);

    const size_t filled = (size_t)(exchange.response.at - body);
    memcpy(agent->response, packet, KS_PACKET_MIN);
    agent->response[0] = (uint8_t)(packet[0] + 1U);
    agent->response[1] = 0;
    agent->response[2] = (uint8_t)(filled >> 8);
    agent->response[3] = (uint8_t)filled;
    ks_smp_send(agent->response, KS_PACKET_MIN + filled, agent->port->uart_write, agent->port->context);
    ks_wipe(agent->response, sizeof agent->response); /* a SAS token is a credential too */
    if (exchange.restart) {
        ks_wipe(&agent->staged, sizeof agent->staged);
        agent->port->restart(agent->port->context);
    }
}

static bool printable(const char *text, size_t least, size_t limit)
{
    const struct ks_cbor_item item = { KS_CBOR_TEXT, strlen(text), (const uint8_t *)text };
    return (least == 0 && item.value == 0) || ks_text(&item, limit);
}

bool ks_agent_init(struct ks_agent *agent, const struct ks_port *port, const struct ks_identity *identity)
{
    memset(agent, 0, sizeof *agent);
    agent->port = port;
    agent->identity = identity;
    return (identity->mac != NULL || identity->serial != NULL)
        && (identity->serial == NULL || printable(identity->serial, 1, KS_SERIAL_MAX))
        && printable(identity->firmware, 0, KS_FIRMWARE_MAX);
}

void ks_agent_ready(struct ks_agent *agent)
{
    static const uint8_t line_feed = '\n';
    agent->port->uart_write(agent->port->context, &line_feed, 1);
}

void ks_agent_receive(struct ks_agent *agent, uint8_t byte)
{
    if (ks_smp_receive(&agent->receiver, byte)) {
        size_t length;
        const uint8_t *const packet = ks_smp_packet(&agent->receiver, &length);
        answer(agent, packet, length);
        ks_smp_discard(&agent->receiver);
    }
}

bool ks_agent_credential(const struct ks_port *port, struct ks_credential *set)
{
    uint32_t generation;
    return ks_storage_load(port, set, &generation) == KS_HELD_SET;
}
