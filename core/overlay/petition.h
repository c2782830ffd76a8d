// SPDX-License-Identifier: Apache-2.0
/// What the overlay and its owner say to each other about devices that want to join the fleet; part of
/// overlay.h. A petition is such a device's request on its way from the gate, the agent that the device
/// asks, to the observers; a grant is the certificate on its way back.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace starling::overlay {

constexpr std::size_t kMaxPetitionBytes = 1'024; ///< trust::kMaxJoinBytes, which fits the join channel
constexpr std::size_t kMaxGrantBytes = 1'024; ///< link::kMaxCertificateBytes

// Inputs
struct Petition
{ ///< a device asks here, and waits; repeated whenever it asks again
    NodeId device;
    Bytes request; ///< opaque, signed by the device, examined already; at most kMaxPetitionBytes
};
struct Grant
{ ///< of an observer: to where `device` waits, by all ways that its petition came
    NodeId device;
    Bytes certificate; ///< opaque, signed, examined already; at most kMaxGrantBytes
};

struct Renew
{ ///< our own certificate ends: a neighbour is asked for another; repeated until there is one
    Bytes request; ///< signed by us; at most kMaxPetitionBytes
};
struct Renewed
{ ///< a certificate for `device`, which may have asked here for it; examined already
    NodeId device;
    Bytes certificate; ///< at most kMaxGrantBytes
};

// Outputs
struct PetitionArrived
{ ///< at an observer: Overlay::waiting() names it from now on
    NodeId device;
    Bytes request;
};
struct GrantArrived
{ ///< at the gate: valid, and for a device whose petition began here
    NodeId device;
    Bytes certificate;
};

struct RenewalAsked
{ ///< a neighbour's certificate ends: it is to be told who grants another, with Renewed
    NodeId device;
    Bytes request; ///< examined
};
struct RenewalArrived
{ ///< a new certificate of our own, valid
    Bytes certificate;
};

/// A device whose petition an observer holds.
struct Waiting
{
    NodeId device;
    NodeId gate; ///< as was said on the way; nobody has verified it
    Bytes request;
    Instant since; ///< when the first of its petitions came
};

} // namespace starling::overlay
