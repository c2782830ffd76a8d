// SPDX-License-Identifier: Apache-2.0
/// What is known of how long a binding lives (lifetime_probe.h), for people. Values only.
#pragma once

#include "nat/behaviour.h"

#include <string>

namespace starling::nat {

struct LifetimeState
{
    enum class Kind : std::uint8_t {
        Unmeasured, ///< nobody has asked yet, or there is nothing to measure
        Measuring,
        Measured,
        Failed,
    } kind = Kind::Unmeasured;
    BindingLifetime found; ///< if it is Measured
    std::string trouble; ///< if it has Failed: a sentence with a code
    bool operator==(const LifetimeState&) const = default;
};

} // namespace starling::nat
