#!/usr/bin/env python3
"""Every vector of the audit log, and what a vector cannot hold. Ends with `N passed, N failed`."""
import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import unittest

import keylog_verify as kv

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors")


def vectors(name):
    with open(os.path.join(VECTORS, name), encoding="utf-8") as file:
        return json.load(file)


BUNDLES, WITNESSES, EXAMPLE = vectors("audit-bundle.json"), vectors("audit-witness.json"), vectors("audit-log.json")


def write(folder, files):
    """Files of a vector; `None` takes one away."""
    for name, data in files.items():
        path = os.path.join(folder, name)
        if data is None:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(bytes.fromhex(data) if name.startswith("tile/") else data.encode())


def call(*words):
    """What the command line says: exit code and output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = kv.main([str(word) for word in words])
    return code, out.getvalue()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def bundle(self, kind="whole", change=()):
        folder = os.path.join(self.folder, "bundle")
        write(folder, BUNDLES[kind])
        write(folder, dict(change))
        return folder

    def accepted(self, *words):
        code, out = call(*words)
        self.assertEqual((code, out[:10]), (0, "ACCEPTED: "), out)
        return out

    def refused(self, part, *words):
        code, out = call(*words)
        self.assertEqual((code, out.split(":")[0]), (1, f"REFUSED ({part})"), out)
        return out

    def refused_for(self, part, function, *values):
        with self.assertRaises(kv.Refused) as caught:
            function(*values)
        self.assertEqual(caught.exception.part, part, caught.exception.why)


class Vectors(Case):
    """One test for each row; made below."""

    def words(self, row):
        words = ["bundle", self.bundle(row["kind"], row["set"])] if "set" in row else ["proof", self.file("proof", row["file"])]
        return words + (["--seen", self.file("seen", row["seen"])] if "seen" in row else [])

    def with_vkey(self, row):
        return self.words(row) + ["--vkey", self.file("vkey", BUNDLES["vkey"])]


def add(name, test):
    name = "test " + name
    assert not hasattr(Vectors, name), name
    setattr(Vectors, name, test)


def add_vectors():
    for row in vectors("audit-record.json")["must_pass"]:
        add("record: " + row["name"], lambda self, row=row: kv.parse_record(bytes.fromhex(row["body"])))
    for row in vectors("audit-record.json")["must_fail"]:
        add("no record: " + row["name"],
            lambda self, row=row: self.refused_for("record", kv.parse_record, bytes.fromhex(row["body"])))

    notes = vectors("audit-checkpoint.json")
    key = kv.Key(notes["vkey"], kv.LOG)
    for row in notes["must_pass"]:
        def opened(self, row=row):
            checkpoint = kv.open_checkpoint(row["note"].encode(), key)
            self.assertEqual(checkpoint.root.hex(), notes["root"])
            self.assertIn(checkpoint.size, [notes["size"], kv.LIMIT])
        add("checkpoint: " + row["name"], opened)
    for row in notes["must_fail"]:
        add("no checkpoint: " + row["name"],
            lambda self, row=row: self.refused_for("checkpoint", kv.open_checkpoint, row["note"].encode(), key))

    for row in BUNDLES["must_pass"]:
        def passes(self, row=row):
            self.assertIn("NOT CHECKED", self.accepted(*self.words(row)))
            self.assertNotIn("NOT CHECKED", self.accepted(*self.with_vkey(row)))
        add(f"{row['kind']}: {row['name']}", passes)
    for row in BUNDLES["must_fail"]:
        def fails(self, row=row):
            self.refused(row["part"], *self.words(row))
            self.assertEqual(call(*self.with_vkey(row))[0], 1)
        add(f"refused {row['kind']}: {row['name']}", fails)

    log, witness = kv.Key(WITNESSES["log"], kv.LOG), kv.Key(WITNESSES["witness"], kv.WITNESS)

    def decide(row, at):
        state = row["state"] and row["state"].encode()
        return kv.verify_request(row["request"].encode(), log, witness, state, at)

    for row in WITNESSES["must_pass"]:
        def cosigned(self, row=row):
            asked = decide(row, WITNESSES["time"])
            answer = kv.open_checkpoint(row["response"].encode(), log, [witness])
            self.assertEqual((answer.size, answer.root), (asked.size, asked.root))
            self.assertEqual(answer.witnesses[-1], (witness.name, WITNESSES["time"]))
        add("request: " + row["name"], cosigned)
    for row in WITNESSES["must_fail"]:
        at = WITNESSES["time"] - (row["why"] == "clock")
        add("refused request: " + row["name"], lambda self, row=row, at=at: self.refused_for(row["why"], decide, row, at))
    for row, part in zip(WITNESSES["clone"], ["two-logs", "proof"]):
        def clone(self, row=row, part=part):
            notes = [self.file(str(at), note) for at, note in enumerate(row["checkpoints"])]
            words = ["compare", *notes, "--vkey", self.file("vkey", WITNESSES["log"])]
            self.refused(part, *words, "--proof", self.file("proof", "\n".join(row.get("proof", []))))
        add("clone: " + row["name"], clone)


add_vectors()


class Example(Case):
    def test_example_hashes_to_its_checkpoint(self):
        key = kv.Key(EXAMPLE["vkey"], kv.LOG)
        leaves = []
        for seq, body in enumerate(EXAMPLE["records"]):
            kv.check_place(seq, body.encode(), key, kv.Beginning())
            leaves.append(kv.leaf_hash(body.encode()))
            self.assertEqual(leaves[-1].hex(), EXAMPLE["leaves"][seq])
            self.assertEqual(kv.root_of([leaves]).hex(), EXAMPLE["roots"][seq + 1])
        self.assertEqual(kv.open_checkpoint(EXAMPLE["note"].encode(), key)[:2], (5, kv.root_of([leaves])))

    def test_what_an_epoch_took_over_is_told(self):
        for name, told in [("an epoch that took something over", "took 4 accounts, components and keys over"),
                           ("an epoch that took nothing over", "took NOTHING over"), ("an epoch of an older program", "took NOTHING over")]:
            row = next(row for row in BUNDLES["must_pass"] if row["name"] == name)
            folder = self.bundle("whole", row["set"])
            self.assertIn(told, self.accepted("bundle", folder))
            shutil.rmtree(folder)

    def test_the_same_log_is_compared(self):
        row = WITNESSES["must_pass"][1]
        hashes, note = row["request"].split("\n\n", 1)
        new, old = self.file("new", note), self.file("old", row["state"])
        words = ["compare", new, old, "--vkey", self.file("vkey", WITNESSES["log"])]
        self.accepted(*words, "--proof", self.file("proof", hashes.split("\n", 1)[1] + "\n"))
        self.refused("proof", *words)
        self.accepted("compare", new, new, *words[3:])

    def test_the_command_line_tells_what_is_wrong_with_the_call(self):
        vkey = self.file("vkey", BUNDLES["vkey"][:-1])
        self.assertEqual(call("bundle", self.bundle(), "--vkey", vkey)[0], 2)
        self.assertEqual(call("bundle", os.path.join(self.folder, "nothing"))[0], 2)
        self.assertEqual(call("proof", os.path.join(self.folder, "nothing"))[0], 2)

    def test_a_request_is_judged_over_the_command_line(self):
        words = ["request", self.file("request", WITNESSES["must_pass"][1]["request"]), "--time", WITNESSES["time"],
                 "--vkey", self.file("vkey", WITNESSES["log"]), "--witness", self.file("witness", WITNESSES["witness"])]
        self.refused("conflict", *words)
        self.accepted(*words, "--state", self.file("state", WITNESSES["must_pass"][1]["state"]))


class Files(Case):
    """What no vector can hold, since a vector is a list of files."""

    TILE = "tile/0/000.p/5"

    def moved(self, name):
        folder = self.bundle()
        os.rename(os.path.join(folder, name), os.path.join(self.folder, "elsewhere"))
        return folder, os.path.join(folder, name)

    def test_a_link_to_a_file(self):
        folder, path = self.moved(self.TILE)
        os.symlink(os.path.join(self.folder, "elsewhere"), path)
        self.refused("file", "bundle", folder)

    def test_a_link_to_a_folder(self):
        folder, path = self.moved("tile")
        os.symlink(os.path.join(self.folder, "elsewhere"), path)
        self.refused("file", "bundle", folder)

    def test_a_pipe(self):
        folder, path = self.moved(self.TILE)
        os.mkfifo(path)
        self.refused("file", "bundle", folder)

    def test_a_folder_in_place_of_a_file(self):
        folder, path = self.moved(self.TILE)
        os.mkdir(path)
        self.refused("file", "bundle", folder)

    def test_a_file_in_place_of_a_folder(self):
        self.refused("file", "bundle", self.bundle(change={"records": ""}))

    def test_folders_without_files(self):
        folder = self.bundle()
        os.makedirs(os.path.join(folder, "records"))
        os.makedirs(os.path.join(folder, "tile/1"))
        self.accepted("bundle", folder)

    def test_an_index_that_overflows(self):
        self.refused("file", "bundle", self.bundle(change={"tile/0/x072/x057/x594/x037/x927/936.p/5": "00"}))


class Rules(Case):
    def test_origins(self):
        for name, good in {
            "keylog.example.com/plant7/stn03/1": True, "keylog.acme/p/s/4294967295": True, "keylog.a-b.co.uk/p.1/s-2/10": True,
            "": False, "keylog.example.com/plant7/stn03": False, "keylog.example.com/plant7/stn03/0": False,
            "keylog.example.com/plant7/stn03/01": False, "keylog.example.com/plant7/stn03/1/2": False,
            "keylog./plant7/stn03/1": False, "keylog.a..b/plant7/stn03/1": False, "example.com/plant7/stn03/1": False,
            "keylog.example.com/plant7/-s/1": False, "keylog.example.com/plant7/stn03/4294967296": False,
            "keylog.example.com/plant7/stn03/1\n": False, "keylog.a-.b/p/s/1": False, "keylog.a/p./s/1": False,
            "keylog." + "a" * 115 + "/p/s/1": True, "keylog." + "a" * 116 + "/p/s/1": False,
        }.items():
            self.assertEqual(kv.is_origin(name), good, name)

    def test_times(self):
        for text, good in {
            "2026-11-22T02:14:03.123Z": True, "2000-02-29T00:00:00.000Z": True, "1900-02-29T00:00:00.000Z": False,
            "2026-04-31T00:00:00.000Z": False, "2026-13-01T00:00:00.000Z": False, "2026-00-01T00:00:00.000Z": False,
            "2026-01-00T00:00:00.000Z": False, "2026-01-01T24:00:00.000Z": False, "2026-01-01T00:60:00.000Z": False,
        }.items():
            self.assertEqual(kv.is_time(text), good, text)

    def test_tile_paths(self):
        for level, n, width, path in [(0, 0, 256, "tile/0/000"), ("entries", 1234, 5, "tile/entries/x001/234.p/5"),
                                      (2, 1234067, 256, "tile/2/x001/x234/067")]:
            self.assertEqual(kv.tile_path(level, n, width), path)


def database(folder, records=600):
    """A database as section 4 describes it, of the worked example and records behind it that its test key signs."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "attacks"))
    import forge
    log = forge.Log.example(records)
    connection = sqlite3.connect(os.path.join(folder, "audit.db"))
    connection.executescript("""
        PRAGMA application_id = 0x4B534C47; PRAGMA user_version = 3;
        CREATE TABLE log (seq INTEGER PRIMARY KEY, body BLOB, leaf BLOB);
        CREATE TABLE node (level INTEGER, idx INTEGER, hash BLOB, PRIMARY KEY (level, idx)) WITHOUT ROWID;
        CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT, cosig TEXT, anchors TEXT);""")
    hashes = [forge.leaf(body) for body in log.bodies]
    connection.executemany("INSERT INTO log VALUES (?, ?, ?)", zip(range(records), log.bodies, hashes))
    level = 1
    while len(hashes) > 1:
        hashes = [forge.node(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        connection.executemany("INSERT INTO node VALUES (?, ?, ?)", [(level, i, h) for i, h in enumerate(hashes)])
        level += 1
    note, cosigned = log.checkpoint(), log.checkpoint(records // 2)
    connection.execute("INSERT INTO checkpoint VALUES (?, ?, NULL, NULL)", (records, note))
    connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?, NULL)",
                       (records // 2, cosigned, log.cosignature(records // 2)))
    connection.commit()
    connection.close()
    for name, text in [("log.vkey", log.key.vkey + "\n"), ("head.note", note), ("witness.vkeys", log.witness.vkey + "\n")]:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return log


class Database(Case):
    def setUp(self):
        super().setUp()
        self.log = database(self.folder)

    def change(self, sql, *values):
        connection = sqlite3.connect(os.path.join(self.folder, "audit.db"))
        connection.execute(sql, values)
        connection.commit()
        connection.close()

    def words(self, *more):
        return ["database", self.folder, "--witness", os.path.join(self.folder, "witness.vkeys"), *more]

    def test_a_database_is_accepted(self):
        before = os.listdir(self.folder)
        self.accepted(*self.words())
        self.assertEqual(os.listdir(self.folder), before, "it leaves nothing behind")
        self.accepted(*self.words("--seen", self.file("seen", self.log.checkpoint(77))))

    def test_a_write_ahead_log_is_read(self):
        """Of a station that was killed: the records that are in the write-ahead log alone."""
        path = os.path.join(self.folder, "audit.db")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE log SET body = ? WHERE seq = 5", (self.log.bodies[6],))
        connection.commit()
        copy = os.path.join(self.folder, "killed")
        os.mkdir(copy)
        for name in ["audit.db", "audit.db-wal", "log.vkey", "head.note"]:
            with open(os.path.join(self.folder, name), "rb") as source, open(os.path.join(copy, name), "wb") as target:
                target.write(source.read())
        self.refused("record", "database", self.folder)
        connection.close()
        before = sorted(os.listdir(copy))
        self.refused("record", "database", copy)
        self.assertEqual(sorted(os.listdir(copy)), before, "it leaves nothing behind")

    def entry(self, first, size, log=None):
        """An entry of head.tail: the records from `first` on, and the checkpoint of `size`."""
        log = log or self.log
        body = log.checkpoint(size).encode() + b"".join(body + b"\n" for body in log.bodies[first:size])
        digest = hashlib.sha256(body).hexdigest()
        entry = b"tail/v1 %d %d %s\n" % (size - first, len(body), digest.encode()) + body
        return entry.ljust(-(-len(entry) // 4096) * 4096, b"\0")

    def tail(self, *entries):
        self.file("head.tail", b"".join(entries).ljust(1310720, b"\0"))

    def behind(self, size):
        """A database and a head that a power cut took back to `size` records."""
        folder = self.folder
        for name in ["audit.db", "head.note"]:
            os.remove(os.path.join(folder, name))
        database(folder, size)

    def test_a_tail(self):
        self.tail()
        self.accepted(*self.words())
        self.behind(590)
        self.tail(self.entry(590, 592), self.entry(592, 600))
        self.assertIn("records    600, of which 600", self.accepted(*self.words("--seen", self.file("seen", self.log.checkpoint(599)))))
        self.tail(self.entry(590, 592), self.entry(592, 600).replace(b"op-0117", b"op-0118"))
        self.assertIn("records    592, of which 592", self.accepted(*self.words()), "a torn entry ends the tail")
        self.tail(self.entry(592, 600))
        self.assertIn("records    590, of which 590", self.accepted(*self.words()), "an entry that does not follow the head")
        self.refused("seen", *self.words("--seen", self.file("seen", self.log.checkpoint(599))))

    def test_a_tail_of_another_past(self):
        fork = self.log.fork(595)
        self.tail(self.entry(590, 600, fork))
        self.file("head.note", self.log.checkpoint(590))
        self.refused("seen", *self.words())
        self.behind(590)
        self.tail(self.entry(590, 600, fork))
        self.accepted(*self.words())
        self.refused("seen", *self.words("--seen", self.file("seen", self.log.checkpoint())))

    def test_a_forged_tail(self):
        self.behind(590)
        good = self.entry(590, 600)
        fork = self.log.fork(595)
        header, body = good.rstrip(b"\0").split(b"\n", 1)
        for part, forged in [
            ("file", body[:-1]), ("file", body + b"{}\n"), ("checkpoint", body.replace(b"\n600\n", b"\n601\n")),
            ("record", body.replace(self.log.bodies[595], b"{}")), ("seen", body.replace(self.log.bodies[595], fork.bodies[595])),
        ]:
            digest = hashlib.sha256(forged).hexdigest().encode()
            self.tail(b"tail/v1 10 %d %s\n" % (len(forged), digest) + forged)
            self.refused(part, *self.words())

    def test_what_was_done_to_a_database(self):
        six, last = self.log.bodies[6], len(self.log.bodies) - 1
        for part, sql, values in [
            ("record", "UPDATE log SET body = ? WHERE seq = 7", [six]),
            ("record", "UPDATE log SET leaf = zeroblob(32) WHERE seq = 7", []),
            ("record", "DELETE FROM log WHERE seq = 7", []),
            ("record", "UPDATE log SET body = CAST(body AS TEXT) WHERE seq = 7", []),
            ("record", "DELETE FROM log WHERE seq = ?", [last]),
            ("tree", "UPDATE node SET hash = zeroblob(32) WHERE level = 3 AND idx = 2", []),
            ("tree", "DELETE FROM node WHERE level = 3 AND idx = 2", []),
            ("tree", "INSERT INTO node VALUES (9, 7, zeroblob(32))", []),
            ("tree", "INSERT INTO node VALUES (40, 0, zeroblob(32))", []),
            ("checkpoint", "DELETE FROM checkpoint", []),
            ("seen", "DELETE FROM checkpoint WHERE size = 600", []),
            ("checkpoint", "UPDATE checkpoint SET size = 299 WHERE size = 300", []),
            ("checkpoint", "UPDATE checkpoint SET note = ?, cosig = NULL WHERE size = 300", [self.log.fork(100).checkpoint(300)]),
            ("witness", "UPDATE checkpoint SET cosig = ? WHERE size = 300", [self.log.cosignature(301)]),
            ("file", "PRAGMA user_version = 8", []),
            ("file", "PRAGMA application_id = 1", []),
            ("file", "DROP TABLE node", []),
        ]:
            with self.subTest(sql):
                with tempfile.TemporaryDirectory() as self.folder:
                    database(self.folder)
                    self.change(sql, *values)
                    self.refused(part, *self.words())

    def test_a_database_of_yesterday(self):
        for size in [599, 300, 2]:
            with tempfile.TemporaryDirectory() as self.folder:
                database(self.folder, size)
                seen = ["--seen", self.file("seen", self.log.checkpoint(600))]
                self.accepted(*self.words())
                self.refused("seen", *self.words(*seen))
                self.file("head.note", self.log.checkpoint(600))
                self.refused("seen", *self.words())

    def test_a_database_with_another_past(self):
        self.refused("seen", *self.words("--seen", self.file("seen", self.log.fork(70).checkpoint(71))))
        self.accepted(*self.words("--seen", self.file("seen", self.log.fork(70).checkpoint(70))))
        self.file("head.note", self.log.fork(70).checkpoint(590))
        self.refused("seen", *self.words())

    def test_a_database_of_version_1_that_the_station_wrote(self):
        for name, source in [("audit.db", "audit-v1.db"), ("head.note", "audit-v1.note")]:
            with open(os.path.join(VECTORS, source), "rb") as file:
                self.file(name, file.read())
        self.file("log.vkey", EXAMPLE["vkey"] + "\n")
        self.accepted("database", self.folder)


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    bad = len({test.id() for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
