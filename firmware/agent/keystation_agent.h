/*
 * The device side of the Keystation device protocol: receives a credential set over a serial line, stores it whole or not
 * at all, and proves that it holds it. docs/device-protocol.md specifies every byte; README.md here says how to port it.
 *
 * C99, no heap, no operating system; of the C library memcpy, memmove, memset, memcmp and strlen. All calls come from one
 * context: a main loop or one task, never from an interrupt.
 */
#ifndef KEYSTATION_AGENT_H
#define KEYSTATION_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credential.h"
#include "smp.h"

/* The bytes that the agent keeps: two slots and the lock mark (section 7). */
enum {
    KS_SLOT_SIZE = 512,
    KS_LOCK_ADDRESS = 2 * KS_SLOT_SIZE,
    KS_LOCK_SIZE = 16,
    KS_STORAGE_SIZE = KS_LOCK_ADDRESS + KS_LOCK_SIZE,
    KS_WRITE_UNIT = 16, /* address and length of each write are multiples of this */
};

enum { KS_MAC_SIZE = 6, KS_SERIAL_MAX = 64, KS_FIRMWARE_MAX = 32 };

/* What the device can do besides; for ks_identity.capabilities. */
enum { KS_CAN_SAS = 1, KS_CAN_LOCK = 2 };

/* What the product supplies. `context` is handed to each call. */
struct ks_port {
    void *context;

    /* Puts bytes on the line. May block, or queue a copy of them. */
    ks_smp_write *uart_write;

    /*
     * Storage with the rules of NOR flash: erasing makes all bytes of a slot (0 or 1) FF, writing only clears bits. Each
     * slot, and the lock mark, lies in erase blocks of its own; the lock mark is never erased. False: it did not work.
     * A read of bytes that the hardware calls corrupt returns false too.
     */
    bool (*storage_read)(void *context, uint32_t address, void *to, size_t length);
    bool (*storage_erase)(void *context, unsigned slot);
    bool (*storage_write)(void *context, uint32_t address, const void *from, size_t length);

    /* Restarts the device, after what was given to uart_write has left. Need not return. */
    void (*restart)(void *context);
};

/* Who the device is. The texts end with a NUL; all of it must stay where it is. */
struct ks_identity {
    const uint8_t *mac;    /* KS_MAC_SIZE bytes in the order they are printed, or NULL */
    const char *serial;    /* 1 to KS_SERIAL_MAX printable characters, or NULL; not both NULL */
    const char *firmware;  /* version, 0 to KS_FIRMWARE_MAX printable characters */
    uint32_t boot;         /* another number after each start: a counter kept in flash, or random */
    uint32_t capabilities; /* KS_CAN_SAS, KS_CAN_LOCK, both or 0 */
};

/* One agent, usually static. The members are its own business. */
struct ks_agent {
    const struct ks_port *port;
    const struct ks_identity *identity;
    struct ks_smp_receiver receiver;
    struct ks_credential staged; /* holds a key between stage and commit */
    uint8_t response[KS_PACKET_MAX];
};

/* False when the identity breaks its rules: then the agent must not be used, a station could not tell the device. */
bool ks_agent_init(struct ks_agent *agent, const struct ks_port *port, const struct ks_identity *identity);

/* Says on the line that the device is ready. Call it once, when bytes can be received. */
void ks_agent_ready(struct ks_agent *agent);

/*
 * Takes one byte from the line. The byte that completes a request carries it out and sends the answer before this returns:
 * up to one erase and some 20 writes of flash for a commit.
 */
void ks_agent_receive(struct ks_agent *agent, uint8_t byte);

/* For the firmware itself: the set that it shall use. False when there is none. Wipe `set` after use (wipe.h). */
bool ks_agent_credential(const struct ks_port *port, struct ks_credential *set);

#endif
