/* Where the credential set survives a restart, and power loss at any moment (docs/device-protocol.md, section 7). */
#ifndef KS_STORAGE_H
#define KS_STORAGE_H

#include "keystation_agent.h"

enum ks_held {
    KS_HELD_NONE,
    KS_HELD_SET,
    KS_HELD_UNREADABLE, /* a valid slot holds no set that this firmware can read; or none is seen to be valid, and one could not be read */
};

/* The generation of the active slot, 0 when no slot is seen to be valid. Whether the set itself can be read is not looked at. */
enum ks_held ks_storage_generation(const struct ks_port *port, uint32_t *generation);

/* Reads the active set and its generation. Only with KS_HELD_SET is `set` filled. */
enum ks_held ks_storage_load(const struct ks_port *port, struct ks_credential *set, uint32_t *generation);

/*
 * Stores a set beside the active one and makes it the active one. False: the device still holds what it held; unless the
 * storage failed after the last byte and for good, so that the new set cannot be taken back.
 */
bool ks_storage_store(const struct ks_port *port, const struct ks_credential *set, uint32_t *generation);

/* A mark that was torn while it was written locks; one that cannot be read does too. */
bool ks_storage_locked(const struct ks_port *port);

/* False: the mark is not what was written. */
bool ks_storage_lock(const struct ks_port *port);

#endif
