-- SPDX-License-Identifier: Apache-2.0
-- Receipts are numbered as they come, so that what has come since some time is found without reading the others: a receipt that replaces
-- another gets the next number.

CREATE TABLE numbered_receipts (
    device BLOB PRIMARY KEY CHECK (length(device) = 32),
    sequence INTEGER NOT NULL CHECK (sequence BETWEEN 0 AND 9007199254740991),
    change INTEGER NOT NULL CHECK (change >= 1),
    bytes BLOB NOT NULL
) STRICT;

INSERT INTO numbered_receipts (device, sequence, change, bytes) SELECT device, sequence, rowid, bytes FROM receipts ORDER BY rowid;

DROP TABLE receipts;

ALTER TABLE numbered_receipts RENAME TO receipts;

CREATE UNIQUE INDEX receipts_by_change ON receipts (change);
