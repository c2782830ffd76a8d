// SPDX-License-Identifier: Apache-2.0
/// Errors as values: a code to branch on and a context to read (resources/docs/adr/0001-result-type.md).
/// Not for bugs: a broken invariant is STARLING_ASSERT (base/assert.h).
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace starling {

/// Every way in which input, the machine or a peer can fail us. Grouped by hundreds; the group and the
/// number within it make the public code (`STAR-TRUST-003`), which documents and scripts may rely on:
/// values are never reused.
enum class Errc : std::uint16_t {
    // FORM: bytes that are not what they claim to be
    NotBencode = 101, ///< the bytes are not bencoding
    NotCanonical = 102, ///< bencoding, but not the one canonical form
    TooLarge = 103, ///< over a documented limit of size or count
    TooDeep = 104, ///< nested deeper than the limit
    Truncated = 105, ///< ends before its announced end
    Malformed = 106, ///< a field is missing or of the wrong type
    UnsupportedFormat = 107, ///< a format number or critical key that this version does not know
    LegacyTorrent = 108, ///< v1-only or hybrid torrent; only BitTorrent v2 is accepted
    UnsafeName = 109, ///< a file name that a sanitiser would change
    InvalidUri = 110, ///< not a resource URI
    // TRUST: who signed what
    Unsigned = 201, ///< no signature at all
    BadSignature = 202, ///< a signature does not verify
    UnknownKey = 203, ///< signed, but by no key of the trust root
    WrongScope = 204, ///< signed by a key of another scope or role
    BelowThreshold = 205, ///< fewer valid signatures than the threshold
    Rollback = 206, ///< (epoch, version) not above the floor
    Equivocation = 207, ///< another content for an (epoch, version) that is already taken
    WrongEpoch = 208, ///< epoch differs from the scope's epoch
    InvalidRoot = 209, ///< a root document that breaks its own rules
    RootGap = 210, ///< root number is not held + 1
    NotAdmitted = 211, ///< device without a valid certificate
    Denied = 212, ///< device on the deny list
    WrongFleet = 213, ///< document of another fleet
    // LOAD: the payload
    PayloadMismatch = 301, ///< payload bytes are not what was signed
    PayloadMissing = 302, ///< a payload file is not there
    PayloadChanged = 303, ///< a payload file changed while it was being seeded
    QuotaExceeded = 304, ///< payload is larger than the agent may store
    DiskFull = 305, ///< no space left on the device
    // DEPLOY
    DeployFailed = 401, ///< deployment exited with failure
    DeployTimeout = 402, ///< deployment did not end in time; its process group was killed
    DeployMissing = 403, ///< script or tool that the release names is not there
    HealthFailed = 404, ///< health check exited with failure
    HealthTimeout = 405, ///< health check did not end in time
    RollbackFailed = 406, ///< neither the new nor the old version could be put in place
    Incompatible = 407, ///< the release's requirements exclude this device
    Superseded = 408, ///< a newer release of the same URI took its place
    Withdrawn = 409, ///< a key of its scope has withdrawn the release
    // LOCAL: this machine, its files and its configuration
    Io = 501, ///< reading or writing failed
    StateLocked = 502, ///< another process uses the state directory or the profile
    StateNewer = 503, ///< the state directory was written by a newer version
    StateCorrupt = 504, ///< the state directory does not verify
    ConfigInvalid = 505, ///< a configuration key is unknown or has an impossible value
    PortInUse = 506, ///< the listening port is taken
    KeyUnreadable = 507, ///< a key file is missing, damaged or readable by others
    WrongPassphrase = 508, ///< the passphrase does not open the key
    NotFound = 509, ///< no such thing
    AlreadyExists = 510, ///< it is there already and will not be overwritten
    ClockWrong = 511, ///< this machine's clock is far off
    // NET: reaching others
    Unreachable = 601, ///< nobody answers there
    Timeout = 602, ///< no answer in time
    Refused = 603, ///< the other side said no
    Busy = 604, ///< a limit on concurrent work is reached
    Cancelled = 605, ///< stopped on request
    // USE
    Usage = 701, ///< arguments that make no sense
};

/// "STAR-TRUST-006" for Errc::Rollback.
std::string codeName(Errc code);

/// A short lower-case word for counters and JSON: "rollback", "signature", "threshold".
std::string_view shortName(Errc code);

/// What happened in a sentence without the particulars, for messages and documents.
std::string_view describe(Errc code);

/// The code with that number, if there is one: numbers travel in receipts and control frames.
std::optional<Errc> errcOf(std::uint16_t value);

/// Why something failed: `code` to branch on, `context` to read (particulars, outermost first).
struct Error
{
    Errc code;
    std::string context;

    bool operator==(const Error&) const = default;
};

/// "STAR-TRUST-006 rollback: fw/a version 1 is not above 2".
std::string toString(const Error& error);

/// A value or an Error; dropping one is a compile error.
template <class T> class [[nodiscard]] Result : public tl::expected<T, Error>
{
public:
    using tl::expected<T, Error>::expected;
};

/// Success or an Error.
using Status = Result<void>;

/// `return fail(Errc::TooLarge, "info: 600 KiB");`
[[nodiscard]] tl::unexpected<Error> fail(Errc code, std::string context);

/// Passes an error on with context in front: `return fail(std::move(error), "release fw/a");`
[[nodiscard]] tl::unexpected<Error> fail(Error error, std::string_view context);

} // namespace starling
