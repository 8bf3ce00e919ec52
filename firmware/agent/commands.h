/* The commands of a device: what each is called and what it does. */
#ifndef KS_COMMANDS_H
#define KS_COMMANDS_H

#include "cbor.h"
#include "keystation_agent.h"

enum { KS_GROUP_OS = 0, KS_GROUP_KEYSTATION = 0x4B53 };

/* Operations of SMP that ask for something. */
enum { KS_READ = 0, KS_WRITE = 2 };

/* What comes of a command: the error codes of the injection group. */
enum ks_code {
    KS_OK = 0,
    KS_BAD_REQUEST = 1,
    KS_WRONG_DEVICE = 2,
    KS_KEYED = 3,
    KS_LOCKED = 4,
    KS_STORAGE = 5,
    KS_NOT_STAGED = 6,
    KS_EMPTY = 7,
};

/* One request while it is carried out. */
struct ks_exchange {
    struct ks_agent *agent;
    struct ks_cbor_map request;
    struct ks_cbor_writer response; /* a command writes here only when it succeeds; every response fits */
    bool restart;                   /* when the response has been sent */
};

struct ks_command {
    uint16_t group;
    uint8_t number;
    uint8_t operation;
    uint32_t capability; /* that the device must have for it */
    enum ks_code (*run)(struct ks_exchange *exchange);
};

/* The command that a packet asks for; NULL when the device has no such command. */
const struct ks_command *ks_command_find(const struct ks_agent *agent, const uint8_t *packet);

#endif
