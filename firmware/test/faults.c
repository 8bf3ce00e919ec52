/* Storage calls that fail: each one for once, and each one and all that follow; with a report and without. */
#include <string.h>

#include "check.h"
#include "simulated.h"

static struct simulated device;

static bool accepted(void)
{
    uint8_t packet[KS_PACKET_MAX];
    const size_t length = simulated_hear(&device, packet);
    /* {"gen": n} against {"err": …} */
    return length > KS_PACKET_MIN + 2 && packet[KS_PACKET_MIN + 2] == 'g';
}

/* A device that was given so many sets. */
static void prepare(unsigned sets)
{
    simulated_new(&device);
    for (unsigned i = 1; i <= sets; i++) {
        const struct ks_credential set = example(i);
        simulated_inject(&device, &set, true);
    }
}

/* Each storage call of a commit in turn: what is answered must be what the device holds. */
static void each_call(unsigned sets, bool sticky, bool silent)
{
    const struct ks_credential old = example(sets);
    const struct ks_credential fresh = example(50);
    unsigned refused = 0;
    bool honest = true;
    bool whole = true;
    bool mended = true;
    prepare(sets);
    simulated_inject(&device, &fresh, true);
    const long calls = device.calls;
    for (long at = 0; at < calls; at++) {
        prepare(sets);
        device.fail_at = at;
        device.sticky = sticky;
        device.silent = silent;
        simulated_inject(&device, &fresh, true);
        const bool said = accepted();
        refused += !said;
        simulated_restart(&device);
        const bool has = simulated_holds(&device, &fresh);
        /* When flash fails for good after the header was written, not even the erase works that would take it back. */
        honest = honest && (said == has || (sticky && has));
        whole = whole && (has || simulated_holds(&device, sets == 0 ? NULL : &old));
        mended = mended && simulated_inject(&device, &fresh, true) && simulated_holds(&device, &fresh);
    }
    check(whole, "faults", "the old set or the new one");
    check(honest, "faults", "what is answered is what is held");
    check(mended, "faults", "when the fault is gone the injection goes through");
    printf("  after %u sets, %s, %s: %ld calls, %u refused\n", sets, sticky ? "for good" : "once", silent ? "silently" : "reported", calls, refused);
    check(calls > 15 && refused > 0, "faults", "the faults are reached");
}

/* One reading that fails must not make an empty device of a keyed one: without `ow` the set stays. */
static void unread_set(unsigned sets)
{
    const struct ks_credential old = example(sets);
    const struct ks_credential fresh = example(50);
    prepare(sets);
    simulated_inject(&device, &fresh, false);
    const long calls = device.calls;
    bool kept = true;
    bool refused = true;
    for (long at = 0; at < calls; at++) {
        prepare(sets);
        device.fail_at = at;
        simulated_inject(&device, &fresh, false);
        refused = refused && !accepted();
        simulated_restart(&device);
        kept = kept && simulated_holds(&device, &old);
    }
    check(calls > 5 && kept, "faults", "a set that could not be read for once is not replaced without `ow`");
    check(refused, "faults", "and the commit is refused");
}

/* A slot that was torn while the first set was written, and cannot be read: never taken for empty, and replaceable. */
static void torn_slot(unsigned slot)
{
    const struct ks_credential fresh = example(50);
    uint8_t packet[KS_PACKET_MAX];
    prepare(0);
    device.torn[slot] = true;
    simulated_inject(&device, &fresh, false);
    const size_t length = simulated_hear(&device, packet);
    check(length > 0 && packet[length - 1] == 5, "faults", "a slot that cannot be read is answered with `storage`");
    check(simulated_inject(&device, &fresh, true) && simulated_holds(&device, &fresh), "faults", "with `ow` it is replaced");

    /* Beside a valid slot it does no harm: the next set goes there. */
    const struct ks_credential held = example(2 - slot);
    prepare(2 - slot);
    device.torn[slot] = true;
    check(simulated_holds(&device, &held), "faults", "the valid slot counts");
    check(simulated_inject(&device, &fresh, true) && simulated_holds(&device, &fresh), "faults", "and the torn one is written");
}

/* Flash that is worn out: it takes writes and keeps what it has. */
static void worn(void)
{
    const struct ks_credential fresh = example(0);
    simulated_new(&device);
    device.fail_at = 0;
    device.sticky = true;
    device.silent = true;
    simulated_inject(&device, &fresh, false);
    uint8_t packet[KS_PACKET_MAX];
    const size_t length = simulated_hear(&device, packet);
    check(length > 0 && packet[length - 1] == 5, "faults", "worn flash is answered with `storage`");
    check(simulated_holds(&device, NULL), "faults", "worn flash holds nothing");
}

/* Slot 0 with a header and a CRC that are right. */
static void put_slot(uint8_t generation, uint16_t length)
{
    uint8_t *const slot = device.storage;
    const uint8_t header[12] = { 'K', 'S', '1', 0, generation, 0, 0, 0, (uint8_t)length, (uint8_t)(length >> 8), 0, 0 };
    memcpy(slot, header, sizeof header);
    uint32_t crc = 0xFFFFFFFFU;
    for (size_t i = 0; i < sizeof header + length; i++) {
        crc ^= i < sizeof header ? header[i] : slot[32 + i - sizeof header];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        slot[12 + i] = (uint8_t)(~crc >> (8 * i));
    }
}

/* What `set` answers in its last byte: the code of an error, or the generation. */
static unsigned ask_for_set(void)
{
    uint8_t packet[KS_PACKET_MAX];
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 5, (const uint8_t *)"\xA0", 1));
    const size_t length = simulated_hear(&device, packet);
    return length == 0 ? 256 : packet[length - 1];
}

/* Slots that no agent of this version writes. */
static void strange_slots(void)
{
    struct ks_credential set = example(0);
    simulated_new(&device);
    simulated_inject(&device, &set, false);
    const uint16_t anchored = (uint16_t)(device.storage[8] | device.storage[9] << 8);
    uint8_t *const head = device.storage + 32 + anchored - KS_ANCHOR_SIZE - 1;
    const bool found = *head == (0x40 | KS_ANCHOR_SIZE);
    (*head)--;
    put_slot(1, (uint16_t)(anchored - 1));
    check(found && ask_for_set() == 5, "slots", "an anchor of 19 bytes is an error, not a set without one");

    set.anchor_length = 0;
    simulated_new(&device);
    simulated_inject(&device, &set, false);
    const uint16_t length = (uint16_t)(device.storage[8] | device.storage[9] << 8);
    put_slot(9, length);
    check(ask_for_set() == 9, "slots", "the test makes valid slots");
    put_slot(0, length);
    check(ask_for_set() == 7, "slots", "generation 0 is no set");
    put_slot(1, 0);
    check(ask_for_set() == 7, "slots", "no payload is no set");
    put_slot(1, (uint16_t)(length - 1));
    check(ask_for_set() == 5, "slots", "a valid slot that holds no set is an error, not an empty device");
    put_slot(1, KS_SLOT_SIZE - 32);
    check(ask_for_set() == 5, "slots", "a payload of the whole slot is not a set, and does no harm");
    put_slot(255, length);
    memset(device.storage + 5, 0xFF, 3);
    check(ask_for_set() == 7, "slots", "a generation that the CRC does not cover is not believed");
}

/* A lock mark that cannot be read may be there. */
static void unreadable_lock(void)
{
    const struct ks_credential set = example(0);
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    device.fail_at = 0;
    simulated_request(&device, packet, stage_packet(packet, &set));
    const size_t length = simulated_hear(&device, packet);
    check(length > 0 && packet[length - 1] == 4, "faults", "a lock mark that cannot be read locks");
}

int main(void)
{
    for (unsigned sets = 0; sets < 3; sets++) {
        for (int way = 0; way < 4; way++) {
            each_call(sets, (way & 1) != 0, (way & 2) != 0);
        }
    }
    unread_set(1);
    unread_set(2);
    torn_slot(0);
    torn_slot(1);
    worn();
    strange_slots();
    unreadable_lock();
    return summary();
}
