// SPDX-License-Identifier: Apache-2.0
#include "update/policy.h"

namespace starling::update {

Status requireCompatible(const release::UpdateInfo& update, const std::map<std::string, std::string>& labels)
{
    for (const auto& [label, required] : update.requirements) {
        const auto own = labels.find(label);
        if (own == labels.end())
            return fail(Errc::Incompatible,
                        "requires " + label + '=' + required + ", and the device has no label " + label);
        if (own->second != required)
            return fail(Errc::Incompatible,
                        "requires " + label + '=' + required + ", and the device has " + label + '='
                            + own->second);
    }
    return {};
}

} // namespace starling::update
