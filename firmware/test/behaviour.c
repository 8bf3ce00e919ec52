/* What the agent answers, remembers and forgets, beyond the vectors of the specification. */
#include <string.h>

#include "check.h"
#include "simulated.h"

static struct simulated device;

static unsigned last_byte(const uint8_t *packet, size_t length)
{
    return length == 0 ? 256 : packet[length - 1];
}

/* Asks and returns the last byte of the answer: the code, when it is an error. */
static unsigned ask(unsigned operation, unsigned group, unsigned command, const char *body, size_t length)
{
    uint8_t packet[KS_PACKET_MAX];
    simulated_request(&device, packet, packet_of(packet, operation, group, command, (const uint8_t *)body, length));
    const size_t heard = simulated_hear(&device, packet);
    return last_byte(packet, heard);
}

static void largest(void)
{
    struct ks_credential set = example(0);
    set.rid_length = KS_RID_MAX;
    set.scope_length = KS_SCOPE_MAX;
    set.endpoint_length = KS_ENDPOINT_MAX;
    memset(set.rid, 'r', sizeof set.rid);
    memset(set.scope, 's', sizeof set.scope);
    memset(set.endpoint, 'e', sizeof set.endpoint);
    memset(set.anchor, 'a', sizeof set.anchor);
    simulated_new(&device);
    check(simulated_inject(&device, &set, false) && simulated_holds(&device, &set), "largest", "set");
    uint8_t packet[KS_PACKET_MAX];
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 4, (const uint8_t *)"\xA1\x62se\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 13));
    const size_t token = simulated_hear(&device, packet);
    static const char end[] = "&se=18446744073709551615&skn=registration";
    check(token > 300 && memcmp(packet + token - (sizeof end - 1), end, sizeof end - 1) == 0, "largest", "token");
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 5, (const uint8_t *)"\xA0", 1));
    check(simulated_hear(&device, packet) > 273, "largest", "answer of set");

    /* A packet of 512 bytes there and back. */
    char body[KS_PACKET_MAX - KS_PACKET_MIN];
    memset(body, 'x', sizeof body);
    memcpy(body, "\xA1\x61" "d\x79\x01\xF2", 6);
    simulated_request(&device, packet, packet_of(packet, 2, 0, 0, (const uint8_t *)body, sizeof body));
    check(simulated_hear(&device, packet) == KS_PACKET_MAX && packet[10] == 'r', "largest", "echo");
}

static void what_is_answered(void)
{
    static const char text_id[] = "\xA2\x62id\x68" "abcdefgh\x62" "dg\x48" "abcdefgh";
    static const char number_ow[] = "\xA3\x62id\x48" "abcdefgh\x62" "dg\x48" "abcdefgh\x62" "ow\x01";
    static const char non_ascii[] = "\xA3\x63rid\x62\xC3\xA4\x65scope\x61s\x63key\x58\x20" "0123456789abcdef0123456789abcdef";
    static const char line_feed[] = "\xA3\x63rid\x62" "a\n\x65scope\x61s\x63key\x58\x20" "0123456789abcdef0123456789abcdef";
    static const char unknown_too[] = "\xA4\x61z\x81\xA0\x63rid\x61" "a\x65scope\x61s\x63key\x58\x20" "0123456789abcdef0123456789abcdef";
    simulated_new(&device);
    check(ask(2, 0x4B53, 0, "\xA0", 1) == 8, "answered", "write of info: no such command");
    check(ask(0, 0x4B53, 2, "\xA0", 1) == 8, "answered", "read of commit: no such command");
    check(ask(0, 64, 0, "\xA0", 1) == 8, "answered", "another group");
    check(ask(0, 0, 0, "\xA0", 1) == 8, "answered", "read of echo: no such command");
    check(ask(0, 0x4B53, 0, "\xBF\xFF", 2) == 3, "answered", "indefinite map: no CBOR of ours");
    check(ask(0, 0x4B53, 0, "", 0) == 3, "answered", "no body");
    check(ask(2, 0, 0, "\xA0", 1) == 3, "answered", "echo of nothing");
    check(ask(2, 0x4B53, 2, text_id, sizeof text_id - 1) == 1, "answered", "digest as text");
    check(ask(2, 0x4B53, 2, number_ow, sizeof number_ow - 1) == 1, "answered", "overwriting as a number");
    check(ask(2, 0x4B53, 1, non_ascii, sizeof non_ascii - 1) == 1, "answered", "registration ID that is not ASCII");
    check(ask(2, 0x4B53, 1, line_feed, sizeof line_feed - 1) == 1, "answered", "registration ID with a line feed");
    check(ask(2, 0x4B53, 1, unknown_too, sizeof unknown_too - 1) == 0xA0, "answered", "stage with a field of a later version");
    check(ask(1, 0x4B53, 0, "\xA0", 1) == 256, "not answered", "an answer");
    check(ask(3, 0, 0, "\xA0", 1) == 256, "not answered", "a write answer");
    check(ask(0x12, 0, 0, "\xA0", 1) == 256, "not answered", "another version of SMP");

    device.identity.capabilities = 0;
    check(ask(0, 0x4B53, 4, "\xA1\x62se\x01", 5) == 8, "answered", "sas without the capability: no such command");
    check(ask(2, 0x4B53, 6, "\xA0", 1) == 8, "answered", "lock without the capability: no such command");
}

/* How often the first bytes of a key stand in the memory of an agent. */
static unsigned copies(const struct ks_agent *agent, const uint8_t *key)
{
    const uint8_t *const bytes = (const uint8_t *)agent;
    unsigned found = 0;
    for (size_t i = 0; i + 8 <= sizeof *agent; i++) {
        found += memcmp(bytes + i, key, 8) == 0;
    }
    return found;
}

/* A restart forgets what was staged; reading the key needs the storage. */
static void memory(void)
{
    const struct ks_credential set = example(0);
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    simulated_request(&device, packet, stage_packet(packet, &set));
    check(copies(&device.agent, set.key) == 1, "memory", "the key is in the staged set and nowhere else");
    simulated_request(&device, packet, packet_of(packet, 2, 0, 5, (const uint8_t *)"\xA0", 1));
    check(copies(&device.left, set.key) == 0, "memory", "the key is wiped before a restart: RAM survives that");
    simulated_request(&device, packet, commit_packet(packet, &set, false));
    const size_t length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 6, "memory", "a restart forgets what is staged");

    simulated_inject(&device, &set, false);
    static const uint8_t nonce_request[] = "\xA1\x61n\x58\x20" "0123456789abcdef0123456789abcdef";
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 3, nonce_request, sizeof nonce_request - 1));
    check(copies(&device.agent, set.key) == 0, "memory", "after commit and proof the key is in no memory of the agent");
    static const uint8_t expiry_request[] = "\xA1\x62se\x1A\x6B\x49\xD2\x00";
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 4, expiry_request, sizeof expiry_request - 1));
    check(copies(&device.agent, (const uint8_t *)"SharedAc") == 0, "memory", "a token is wiped when it was sent");
    memset(device.storage, 0xFF, KS_STORAGE_SIZE);
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 3, nonce_request, sizeof nonce_request - 1));
    const size_t proof = simulated_hear(&device, packet);
    check(last_byte(packet, proof) == 7, "memory", "no proof from memory");
}

static void refused_commits(void)
{
    static const char id[] = "\xA1\x62id\x48\xae\x1b\x2e\x83\x09\xa7\xc9\x26";
    const struct ks_credential none = { .rid_length = 0 };
    const struct ks_credential set = example(0);
    const struct ks_credential other = example(1);
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    simulated_request(&device, packet, commit_packet(packet, &none, false));
    size_t length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 6, "commit", "the digest of an empty set stages nothing");

    simulated_inject(&device, &set, false);
    simulated_request(&device, packet, stage_packet(packet, &other));
    check(ask(2, 0x4B53, 6, id, sizeof id - 1) == 0xA0 && device.operations > 0, "lock", "locks");
    check(copies(&device.agent, other.key) == 0, "lock", "wipes what is staged");
    check(ask(2, 0x4B53, 6, id, sizeof id - 1) == 0xA0 && device.operations == 0, "lock", "writes its mark once");
    simulated_request(&device, packet, commit_packet(packet, &other, true));
    length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 4, "commit", "of another set is refused as locked");
    simulated_request(&device, packet, commit_packet(packet, &set, false));
    length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 1, "commit", "of the set that a locked device holds is answered with its generation");
}

/* The same key under another intent is another set. */
static void anchors(void)
{
    const struct ks_credential set = example(0);
    struct ks_credential later = set;
    struct ks_credential bare = set;
    later.anchor[11]++;
    bare.anchor_length = 0;
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    simulated_inject(&device, &set, false);
    const struct ks_credential *const others[] = { &later, &bare };
    for (unsigned i = 0; i < 2; i++) {
        simulated_request(&device, packet, stage_packet(packet, others[i]));
        simulated_request(&device, packet, commit_packet(packet, others[i], false));
        const size_t refused = simulated_hear(&device, packet);
        check(last_byte(packet, refused) == 3 && simulated_holds(&device, &set), "anchor", "another one is another set");
    }
    /* What a station commits that forgot the anchor which it staged, or the other way round. */
    simulated_request(&device, packet, stage_packet(packet, &bare));
    simulated_request(&device, packet, commit_packet(packet, &later, true));
    size_t length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 6, "anchor", "is part of what a commit names");
    check(simulated_inject(&device, &later, true), "anchor", "a new one can be committed");
    check(simulated_holds(&device, &later) && !simulated_holds(&device, &set), "anchor", "goes with its set");
    check(simulated_inject(&device, &bare, true), "anchor", "none can be committed");
    check(simulated_holds(&device, &bare) && !simulated_holds(&device, &later), "anchor", "is not left behind");
}

static void identities(void)
{
    struct ks_identity identity = device.identity;
    struct ks_agent agent;
    identity.mac = NULL;
    identity.serial = NULL;
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "none is refused");
    identity.serial = "";
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "empty serial number is refused");
    identity.serial = "12345678901234567890123456789012345678901234567890123456789012345";
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "65 characters are refused");
    identity.serial++;
    check(ks_agent_init(&agent, &device.port, &identity), "identity", "64 characters are taken");
    identity.firmware = "1.0\n";
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "control character in the version is refused");
    identity.firmware = "";
    check(ks_agent_init(&agent, &device.port, &identity), "identity", "no version is taken");
}

int main(void)
{
    largest();
    what_is_answered();
    memory();
    refused_commits();
    anchors();
    identities();
    return summary();
}
