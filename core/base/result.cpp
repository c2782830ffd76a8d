// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include "base/assert.h"

#include <array>
#include <cstdio>

namespace starling {

namespace {

struct Row
{
    Errc code;
    std::string_view shortName;
    std::string_view description;
};

constexpr std::array kRows{
    Row{Errc::NotBencode, "not-bencode", "the bytes are not bencoding"},
    Row{Errc::NotCanonical, "not-canonical", "bencoding, but not the one canonical form"},
    Row{Errc::TooLarge, "too-large", "over a documented limit of size or count"},
    Row{Errc::TooDeep, "too-deep", "nested deeper than the limit"},
    Row{Errc::Truncated, "truncated", "ends before its announced end"},
    Row{Errc::Malformed, "malformed", "a field is missing or of the wrong type"},
    Row{Errc::UnsupportedFormat, "unsupported-format",
        "a format number or critical key that this version does not know"},
    Row{Errc::LegacyTorrent, "legacy-torrent", "v1-only or hybrid torrent; only BitTorrent v2 is accepted"},
    Row{Errc::UnsafeName, "unsafe-name", "a file name that a sanitiser would change"},
    Row{Errc::InvalidUri, "invalid-uri", "not a resource URI"},
    Row{Errc::Unsigned, "unsigned", "no signature at all"},
    Row{Errc::BadSignature, "signature", "a signature does not verify"},
    Row{Errc::UnknownKey, "unknown-key", "signed, but by no key of the trust root"},
    Row{Errc::WrongScope, "wrong-scope", "signed by a key of another scope or role"},
    Row{Errc::BelowThreshold, "threshold", "fewer valid signatures than the threshold"},
    Row{Errc::Rollback, "rollback", "(epoch, version) not above the floor"},
    Row{Errc::Equivocation, "equivocation", "another content for an (epoch, version) that is already taken"},
    Row{Errc::WrongEpoch, "wrong-epoch", "epoch differs from the scope's epoch"},
    Row{Errc::InvalidRoot, "invalid-root", "a root document that breaks its own rules"},
    Row{Errc::RootGap, "root-gap", "root number is not held + 1"},
    Row{Errc::NotAdmitted, "not-admitted", "device without a valid certificate"},
    Row{Errc::Denied, "denied", "device on the deny list"},
    Row{Errc::WrongFleet, "wrong-fleet", "document of another fleet"},
    Row{Errc::PayloadMismatch, "payload-mismatch", "payload bytes are not what was signed"},
    Row{Errc::PayloadMissing, "payload-missing", "a payload file is not there"},
    Row{Errc::PayloadChanged, "payload-changed", "a payload file changed while it was being seeded"},
    Row{Errc::QuotaExceeded, "quota-exceeded", "payload is larger than the agent may store"},
    Row{Errc::DiskFull, "disk-full", "no space left on the device"},
    Row{Errc::DeployFailed, "deploy-failed", "deployment exited with failure"},
    Row{Errc::DeployTimeout, "deploy-timeout",
        "deployment did not end in time; its process group was killed"},
    Row{Errc::DeployMissing, "deploy-missing", "script or tool that the release names is not there"},
    Row{Errc::HealthFailed, "health-failed", "health check exited with failure"},
    Row{Errc::HealthTimeout, "health-timeout", "health check did not end in time"},
    Row{Errc::RollbackFailed, "rollback-failed", "neither the new nor the old version could be put in place"},
    Row{Errc::Incompatible, "incompatible", "the release's requirements exclude this device"},
    Row{Errc::Superseded, "superseded", "a newer release of the same URI took its place"},
    Row{Errc::Withdrawn, "withdrawn", "a key of its scope has withdrawn the release"},
    Row{Errc::Io, "io", "reading or writing failed"},
    Row{Errc::StateLocked, "state-locked", "another process uses it"},
    Row{Errc::StateNewer, "state-newer", "the state directory was written by a newer version"},
    Row{Errc::StateCorrupt, "state-corrupt", "the state directory does not verify"},
    Row{Errc::ConfigInvalid, "config-invalid", "a configuration key is unknown or has an impossible value"},
    Row{Errc::PortInUse, "port-in-use", "the listening port is taken"},
    Row{Errc::KeyUnreadable, "key-unreadable", "a key file is missing, damaged or readable by others"},
    Row{Errc::WrongPassphrase, "wrong-passphrase", "the passphrase does not open the key"},
    Row{Errc::NotFound, "not-found", "no such thing"},
    Row{Errc::AlreadyExists, "already-exists", "it is there already and will not be overwritten"},
    Row{Errc::ClockWrong, "clock-wrong", "this machine's clock is far off"},
    Row{Errc::Unreachable, "unreachable", "nobody answers there"},
    Row{Errc::Timeout, "timeout", "no answer in time"},
    Row{Errc::Refused, "refused", "the other side said no"},
    Row{Errc::Busy, "busy", "a limit on concurrent work is reached"},
    Row{Errc::Cancelled, "cancelled", "stopped on request"},
    Row{Errc::Usage, "usage", "arguments that make no sense"},
};

constexpr std::array<const char*, 7> kGroups{"FORM", "TRUST", "LOAD", "DEPLOY", "LOCAL", "NET", "USE"};

const Row& rowOf(Errc code)
{
    for (const Row& row : kRows)
        if (row.code == code)
            return row;
    assertionFailed("every Errc has a row", __FILE__, __LINE__);
}

} // namespace

std::string codeName(Errc code)
{
    const unsigned value = static_cast<unsigned>(rowOf(code).code);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "STAR-%s-%03u", kGroups[value / 100 - 1], value % 100);
    return text.data();
}

std::string_view shortName(Errc code)
{
    return rowOf(code).shortName;
}

std::string_view describe(Errc code)
{
    return rowOf(code).description;
}

std::optional<Errc> errcOf(std::uint16_t value)
{
    for (const Row& row : kRows)
        if (static_cast<std::uint16_t>(row.code) == value)
            return row.code;
    return std::nullopt;
}

std::string toString(const Error& error)
{
    return codeName(error.code) + " " + std::string(shortName(error.code)) + ": " + error.context;
}

tl::unexpected<Error> fail(Errc code, std::string context)
{
    return tl::unexpected<Error>(Error{code, std::move(context)});
}

tl::unexpected<Error> fail(Error error, std::string_view context)
{
    error.context.insert(0, std::string(context) + ": ");
    return tl::unexpected<Error>(std::move(error));
}

} // namespace starling
