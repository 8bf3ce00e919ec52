/* The agent on the board: what a product's own main loop does, and nothing else. */
#include <string.h>

#include "board.h"

/* The device of the specification's worked example. */
static void leave_the_fab(struct config *config)
{
    static const uint8_t mac[KS_MAC_SIZE] = { 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6 };
    memset(board_storage(), 0xFF, KS_STORAGE_SIZE);
    memset(config, 0, sizeof *config);
    memcpy(config->mac, mac, sizeof mac);
    memcpy(config->serial, "007-888-abc", sizeof "007-888-abc");
    config->magic = CONFIG_MAGIC;
}

static void restart(void *context)
{
    (void)context;
    board_restart();
}

int main(void)
{
    static const uint8_t no_mac[KS_MAC_SIZE];
    static const struct ks_port port = {
        NULL, board_uart_write, board_storage_read, board_storage_erase, board_storage_write, restart,
    };
    static struct ks_identity identity;
    static struct ks_agent agent;
    struct config *const config = board_config();
    if (config->magic != CONFIG_MAGIC) {
        leave_the_fab(config);
    }
    config->boot++;

    identity.mac = memcmp(config->mac, no_mac, sizeof no_mac) == 0 ? NULL : config->mac;
    identity.serial = config->serial[0] == '\0' ? NULL : config->serial;
    identity.firmware = FIRMWARE;
    identity.boot = config->boot;
    identity.capabilities = KS_CAN_SAS | KS_CAN_LOCK;
    board_start();
    if (!ks_agent_init(&agent, &port, &identity)) {
        for (;;) {
            (void)board_receive(); /* silent: the station could not tell this device from another */
        }
    }
    ks_agent_ready(&agent);
    for (;;) {
        const uint8_t byte = board_receive();
        ks_agent_receive(&agent, byte);
        if (byte == '\n' && board_stack_used() > config->stack_used) {
            config->stack_used = board_stack_used();
        }
    }
}
