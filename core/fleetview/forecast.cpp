// SPDX-License-Identifier: Apache-2.0
#include "fleetview/forecast.h"

namespace starling::fleetview {

namespace {

constexpr std::size_t kBench = 3, kFew = 20;
constexpr std::size_t kFewPercent = 5;

Outlook outlookOf(DevicePtr device, const ResourceUri& uri, const trust::Revision& revision,
                  const std::map<std::string, std::string>& requirements)
{
    Outlook outlook{std::move(device), Prospect::Takes, {}};
    for (const trust::ReceiptEntry& entry : outlook.device->receipt.entries)
        if (entry.uri == uri && !(entry.revision < revision)) {
            outlook.prospect = Prospect::Newer;
            outlook.why = "has version " + trust::toString(entry.revision);
            return outlook;
        }
    if (isConsole(*outlook.device)) {
        outlook.prospect = Prospect::Held;
        outlook.why = "is the agent of a console, and installs nothing";
        return outlook;
    }
    for (const auto& [name, required] : requirements) {
        const auto own = outlook.device->labels.find(name);
        if (own != outlook.device->labels.end() && own->second == required)
            continue;
        outlook.prospect = Prospect::Held;
        outlook.why =
            own == outlook.device->labels.end() ? "has no label " + name : "has " + name + "=" + own->second;
        break;
    }
    return outlook;
}

} // namespace

Forecast forecastOf(const Picture& picture, const ResourceUri& uri, const trust::Revision& revision,
                    const std::map<std::string, std::string>& requirements)
{
    Forecast forecast;
    forecast.devices.reserve(picture.devices.size());
    for (const DevicePtr& device : picture.devices) {
        forecast.devices.push_back(outlookOf(device, uri, revision, requirements));
        const Prospect prospect = forecast.devices.back().prospect;
        ++(prospect == Prospect::Takes      ? forecast.takes
               : prospect == Prospect::Held ? forecast.held
                                            : forecast.newer);
    }
    return forecast;
}

std::optional<trust::Revision> newestOf(const Picture& picture, const ResourceUri& uri)
{
    std::optional<trust::Revision> newest;
    for (const Release& release : picture.releases)
        if (release.uri == uri && (!newest || *newest < release.revision))
            newest = release.revision;
    return newest;
}

Confirmation confirmationFor(std::size_t takes, std::size_t devices)
{
    if (takes <= kBench || (takes <= kFew && takes * 100 <= devices * kFewPercent))
        return Confirmation::Press;
    return takes * 2 <= devices ? Confirmation::TypeCount : Confirmation::TypeAll;
}

} // namespace starling::fleetview
