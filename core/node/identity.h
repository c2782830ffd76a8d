// SPDX-License-Identifier: Apache-2.0
/// Who this device is: its key, its certificate, and the fleet's anchor.
#pragma once

#include "crypto/noise.h"
#include "node/config.h"
#include "trust/trust_set.h"

#include <memory>

namespace starling::node {

struct Identity
{
    std::shared_ptr<const crypto::SecretKey> key;
    std::shared_ptr<const crypto::LinkKeyPair> linkKey; ///< derived from `key`
    Bytes certificateEnvelope;
    Bytes anchorEnvelope;
    NodeId node;
};

/// A key file that may be read by others than its owner is KeyUnreadable: the device could be impersonated. A
/// certificate that fits no handshake is TooLarge.
Result<Identity> loadIdentity(const AgentConfig& config);

/// The device's plain key; made, with mode 0600, if there is none. KeyUnreadable if it is damaged, sealed or
/// readable by others, Io and DiskFull.
Result<crypto::SecretKey> loadOrMakeDeviceKey(const std::filesystem::path& file);

/// Reads a key file after looking at its mode (0600 or stricter).
Result<Bytes> readKeyFile(const std::filesystem::path& file);

} // namespace starling::node
