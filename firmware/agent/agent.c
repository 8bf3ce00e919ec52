#include "keystation_agent.h"

#include <string.h>

#include "commands.h"
#include "storage.h"
#include "wipe.h"

/* Error codes of SMP itself. */
enum { SMP_INVALID = 3, SMP_UNSUPPORTED = 8 };

/* {"rc": code} */
static void put_smp_error(struct ks_cbor_writer *response, unsigned code)
{
    ks_cbor_put_map(response, 1);
    ks_cbor_put_key(response, "rc");
    ks_cbor_put_uint(response, code);
}

/* {"err": {"group": group, "rc": code}} */
static void put_group_error(struct ks_cbor_writer *response, unsigned group, enum ks_code code)
{
    ks_cbor_put_map(response, 1);
    ks_cbor_put_key(response, "err");
    ks_cbor_put_map(response, 2);
    ks_cbor_put_key(response, "group");
    ks_cbor_put_uint(response, group);
    ks_cbor_put_key(response, "rc");
    ks_cbor_put_uint(response, code);
}

static void carry_out(struct ks_exchange *exchange, const struct ks_command *command, const uint8_t *packet, size_t length)
{
    if (command == NULL) {
        put_smp_error(&exchange->response, SMP_UNSUPPORTED);
        return;
    }
    const enum ks_cbor_verdict verdict =
        ks_cbor_open(packet + KS_PACKET_MIN, length - KS_PACKET_MIN, &exchange->request);
    const enum ks_code code = verdict == KS_CBOR_OK ? command->run(exchange) : KS_BAD_REQUEST;
    if (verdict == KS_CBOR_MALFORMED || (code != KS_OK && command->group == KS_GROUP_OS)) {
        put_smp_error(&exchange->response, SMP_INVALID);
    } else if (code != KS_OK) {
        put_group_error(&exchange->response, command->group, code);
    }
}

static void answer(struct ks_agent *agent, const uint8_t *packet, size_t length)
{
    const unsigned operation = packet[0] & 7U;
    /* Version 1, and a request: to answer answers would make two devices on one line talk for ever. */
    if ((packet[0] & 0xF8U) != 0x08U || (operation != KS_READ && operation != KS_WRITE)) {
        return;
    }
    uint8_t *const body = agent->response + KS_PACKET_MIN;
    struct ks_exchange exchange = { 0 };
    exchange.agent = agent;
    exchange.response = (struct ks_cbor_writer) { body, agent->response + sizeof agent->response, false };
    carry_out(&exchange, ks_command_find(agent, packet), packet, length);

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
