/*
 * Power lost at every byte of every storage operation of a commit: the device holds the old set or the new one, whole, and
 * the injection can be done again. With `--must-lose` the program succeeds only when sets are lost: for the naive store.
 */
#include <string.h>

#include "check.h"
#include "simulated.h"

static struct simulated device;

struct outcome {
    unsigned old;
    unsigned fresh;
    unsigned lost;  /* neither the old set nor the new one */
    unsigned stuck; /* the injection could not be done again */
};

/* A device with the last of `sets` sets in it: 0 is empty; 1 leaves slot 1 erased; from 2 on both slots are in use. */
static void prepare(unsigned sets)
{
    simulated_new(&device);
    for (unsigned i = 1; i <= sets; i++) {
        const struct ks_credential set = example(i);
        simulated_inject(&device, &set, true);
    }
}

static void judge(const struct ks_credential *old, const struct ks_credential *fresh, struct outcome *outcome)
{
    if (simulated_holds(&device, old)) {
        outcome->old++;
    } else if (simulated_holds(&device, fresh)) {
        outcome->fresh++;
    } else {
        outcome->lost++;
    }
}

/* Every byte, for one way to tear and one device to start from. */
static struct outcome sweep(unsigned sets, enum tear tear, long *operations)
{
    const struct ks_credential before = example(sets);
    const struct ks_credential *const old = sets == 0 ? NULL : &before;
    const struct ks_credential fresh = example(99);
    struct outcome outcome = { 0 };
    *operations = 0;
    for (long cut = 0;; cut++) {
        prepare(sets);
        device.cut_after = cut;
        device.tear = tear;
        device.random += (uint64_t)cut * 2654435761U;
        const bool survived = simulated_inject(&device, &fresh, true);
        simulated_restart(&device);
        judge(old, &fresh, &outcome);
        if (survived) {
            *operations = cut;
            return outcome;
        }
        outcome.stuck += !simulated_inject(&device, &fresh, true) || !simulated_holds(&device, &fresh);
    }
}

/* Power fails again and again on the same device, at random moments. */
static unsigned many_cuts(unsigned rounds)
{
    unsigned lost = 0;
    struct ks_credential old = example(0);
    simulated_new(&device);
    simulated_inject(&device, &old, false);
    uint64_t random = 20261122;
    for (unsigned i = 1; i <= rounds; i++) {
        const struct ks_credential fresh = example(i);
        device.cut_after = (long)(next_random(&random) % 1000);
        device.tear = (enum tear)(next_random(&random) % TEARS);
        simulated_inject(&device, &fresh, true);
        simulated_restart(&device);
        if (simulated_holds(&device, &fresh)) {
            old = fresh;
        } else if (!simulated_holds(&device, &old)) {
            lost++;
            simulated_inject(&device, &old, true);
        }
    }
    return lost;
}

static void lock_mark(void)
{
    static const uint8_t body[] = { 0xA1, 0x62, 'i', 'd', 0x48, 0xae, 0x1b, 0x2e, 0x83, 0x09, 0xa7, 0xc9, 0x26 };
    const struct ks_credential set = example(1);
    const struct ks_credential other = example(2);
    for (int tear = TEAR_BETWEEN; tear <= TEAR_BITS; tear++) {
        for (long cut = 0; cut <= KS_LOCK_SIZE; cut++) {
            uint8_t packet[KS_PACKET_MAX];
            prepare(1);
            device.cut_after = cut;
            device.tear = (enum tear)tear;
            const bool survived = simulated_request(&device, packet, packet_of(packet, 2, 0x4B53, 6, body, sizeof body));
            simulated_restart(&device);
            bool touched = false;
            for (unsigned i = 0; i < KS_LOCK_SIZE; i++) {
                touched = touched || device.storage[KS_LOCK_ADDRESS + i] != 0xFF;
            }
            simulated_inject(&device, &other, true);
            check(survived == (cut == KS_LOCK_SIZE) && touched >= (cut > 0)
                    && simulated_holds(&device, touched ? &set : &other), "power cut", "a torn lock mark locks");
        }
    }
}

/* One bit of the storage turns: never another key, and the older set where it is still there. */
static void bit_rot(unsigned sets, const char *name)
{
    const struct ks_credential newest = example(sets);
    const struct ks_credential older = example(sets - 1);
    bool good = true;
    unsigned noticed = 0;
    prepare(sets);
    for (uint32_t bit = 0; bit < 8 * 2 * KS_SLOT_SIZE; bit++) {
        device.storage[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (!simulated_holds(&device, &newest)) {
            noticed++;
            good = good && simulated_holds(&device, sets == 1 ? NULL : &older);
        }
        device.storage[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    const uint32_t used = 16U + (uint32_t)(1 + 4 + 2 + newest.rid_length + 6 + 1 + newest.scope_length + 3 + 2
        + newest.endpoint_length + 4 + 2 + KS_KEY_SIZE + 3 + 1 + newest.anchor_length) - (newest.rid_length < 24);
    check(good && noticed == 8 * used, "bit rot", name);
}

static void both_torn(void)
{
    const struct ks_credential set = example(7);
    prepare(2);
    device.storage[40] ^= 1;
    device.storage[KS_SLOT_SIZE + 40] ^= 1;
    check(simulated_holds(&device, NULL), "both slots torn", "no set, rather than a wrong one");
    simulated_restart(&device);
    check(simulated_inject(&device, &set, false) && simulated_holds(&device, &set), "both slots torn",
        "it can be injected again, and that is no overwriting");
}

static void order(void)
{
    prepare(1);
    check(device.last_write == 0, "order", "the header of slot 0 is written last");
    prepare(2);
    check(device.last_write == KS_SLOT_SIZE, "order", "the header of slot 1 is written last");
}

int main(int count, char **arguments)
{
    const bool must_lose = count == 2 && strcmp(arguments[1], "--must-lose") == 0;
    unsigned lost = 0;
    for (unsigned sets = 0; sets < 4; sets++) {
        for (int tear = 0; tear < TEARS; tear++) {
            long operations;
            const struct outcome outcome = sweep(sets, (enum tear)tear, &operations);
            printf("  after %u sets, tear %d: %ld bytes; old %u, new %u, lost %u, stuck %u\n", sets, tear, operations,
                outcome.old, outcome.fresh, outcome.lost, outcome.stuck);
            lost += outcome.lost;
            if (!must_lose) {
                check(outcome.lost == 0 && outcome.stuck == 0, "power cut", "the old set or the new one, whole");
                check(outcome.old > 0 && outcome.fresh > 0 && operations > KS_SLOT_SIZE, "power cut", "both are reached");
            }
        }
    }
    const unsigned again = many_cuts(20000);
    printf("  20000 random cuts on one device: lost %u\n", again);
    if (must_lose) {
        check(lost > 0 && again > 0, "naive store", "the test notices that it loses sets");
    } else {
        check(again == 0, "power cut", "again and again on the same device");
        order();
        lock_mark();
        bit_rot(1, "one slot in use");
        bit_rot(2, "the set before is there");
        both_torn();
    }
    return summary();
}
