/* A device around the agent: its line, its storage, and the ways in which storage fails. */
#ifndef SIMULATED_H
#define SIMULATED_H

#include <setjmp.h>

#include "keystation_agent.h"

/* What power loss leaves of the operation that it interrupts. */
enum tear {
    TEAR_BETWEEN, /* whole bytes: the last one done, the next one not */
    TEAR_BITS,    /* the byte that is programmed has only some of its zeros, the byte that is erased some of its ones */
    TEAR_SLOT,    /* as above, and an interrupted erase leaves garbage all over the slot */
};
enum { TEARS = 3 };

enum { NEVER = -1 };

struct simulated {
    struct ks_agent agent;
    struct ks_port port;
    struct ks_identity identity;
    uint8_t storage[KS_STORAGE_SIZE];

    /* What the device sent in the last simulated_run(). */
    uint8_t sent[4096];
    size_t sent_length;
    bool restarting;
    struct ks_agent left; /* in memory when the device asked for the last restart */

    /* Power is lost when this many bytes were erased or programmed: then simulated_run() returns false. */
    long cut_after;
    long operations; /* bytes erased or programmed so far */
    enum tear tear;
    jmp_buf power;
    uint32_t last_write; /* address of the last write that was begun */

    /* The storage call with this number fails, from 0; with `sticky` all from there on. */
    long fail_at;
    bool sticky;
    bool silent; /* a failing erase or write reports success */
    bool torn[2]; /* a slot that gives no bytes until it is erased: flash with error correction */
    long calls;

    uint64_t random;
};

/* A new device with the identity of the vectors and erased storage; its first start has boot number 7, as they have. */
void simulated_new(struct simulated *device);

/* Starts again on the same storage. Faults end. */
void simulated_restart(struct simulated *device);

/* Feeds bytes to the agent; restarts it when it asks for that. False when the power was cut: it is off then. */
bool simulated_run(struct simulated *device, const uint8_t *bytes, size_t length);

/* As simulated_run() with the frames of a packet. */
bool simulated_request(struct simulated *device, const uint8_t *packet, size_t length);

/* Whether what was sent is exactly these bytes. Forgets it. */
bool simulated_sent(struct simulated *device, const uint8_t *bytes, size_t length);

/* Takes the next packet from what was sent into `packet`; returns its length, 0 when there is none. */
size_t simulated_hear(struct simulated *device, uint8_t packet[KS_PACKET_MAX]);

/* The example set, or with another number the same with other text and key. */
struct ks_credential example(unsigned number);

/* Requests with their header; they return the length. */
size_t stage_packet(uint8_t *packet, const struct ks_credential *set);
size_t commit_packet(uint8_t *packet, const struct ks_credential *set, bool overwrite);
size_t packet_of(uint8_t *packet, unsigned operation, unsigned group, unsigned command, const uint8_t *body, size_t length);

/* Stages and commits. False when the power was cut on the way. */
bool simulated_inject(struct simulated *device, const struct ks_credential *set, bool overwrite);

/* Whether the device holds exactly this set; `set` NULL asks whether it holds none. */
bool simulated_holds(const struct simulated *device, const struct ks_credential *set);

/* xorshift64*: the same numbers on each run. */
uint64_t next_random(uint64_t *state);

#endif
