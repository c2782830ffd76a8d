-- SPDX-License-Identifier: Apache-2.0
-- The first layout of an agent's state. Numbers are at most 2^53 - 1, the bound of versions.
-- A `mark` is the first 8 bytes of a SHA-256 over its row, because a flipped bit in a floor or sequence would let
-- something old pass as new, and SQLite's pages carry no checksums.

PRAGMA application_id = 0x53544152; -- "STAR"

CREATE TABLE roots (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    envelope BLOB NOT NULL
) STRICT;

CREATE TABLE notices (
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

CREATE TABLE floors (
    uri TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 9007199254740991),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    info_hash BLOB NOT NULL CHECK (length(info_hash) = 32),
    mark BLOB NOT NULL CHECK (length(mark) = 8)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER floors_only_rise BEFORE UPDATE ON floors
WHEN NEW.uri <> OLD.uri
    OR (NEW.epoch, NEW.version) < (OLD.epoch, OLD.version)
    OR ((NEW.epoch, NEW.version) = (OLD.epoch, OLD.version) AND NEW.info_hash <> OLD.info_hash)
BEGIN
    SELECT RAISE(ABORT, 'a floor only rises');
END;

CREATE TRIGGER floors_stay BEFORE DELETE ON floors
BEGIN
    SELECT RAISE(ABORT, 'a floor is never forgotten');
END;

CREATE TABLE records (
    uri TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 9007199254740991),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    info_hash BLOB NOT NULL CHECK (length(info_hash) = 32),
    phase INTEGER NOT NULL CHECK (phase BETWEEN 1 AND 11),
    code INTEGER NOT NULL CHECK (code BETWEEN 0 AND 65535),
    detail TEXT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 4294967295),
    wrong_payloads INTEGER NOT NULL CHECK (wrong_payloads BETWEEN 0 AND 4294967295),
    PRIMARY KEY (uri, epoch, version)
) STRICT, WITHOUT ROWID;

-- The newest release of a URI that became healthy.
CREATE TABLE installed (
    uri TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    FOREIGN KEY (uri, epoch, version) REFERENCES records (uri, epoch, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE sequences (
    counter TEXT PRIMARY KEY,
    next INTEGER NOT NULL CHECK (next BETWEEN 1 AND 9007199254740991),
    mark BLOB NOT NULL CHECK (length(mark) = 8)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER sequences_only_rise BEFORE UPDATE ON sequences
WHEN NEW.counter <> OLD.counter OR NEW.next <= OLD.next
BEGIN
    SELECT RAISE(ABORT, 'a sequence only rises');
END;

CREATE TRIGGER sequences_stay BEFORE DELETE ON sequences
BEGIN
    SELECT RAISE(ABORT, 'a sequence is never forgotten');
END;

CREATE TABLE resume_data (
    info_hash BLOB PRIMARY KEY CHECK (length(info_hash) = 32),
    data BLOB NOT NULL
) STRICT;
