// SPDX-License-Identifier: Apache-2.0
/// What devices can be told apart by, with counts: for the list beside the table, and to group the map. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

struct FacetValue
{
    std::string value; ///< empty: the device has none
    std::size_t devices = 0;
    bool operator==(const FacetValue&) const = default;
};
struct Facet
{
    std::string field; ///< as in a query: state, version, or a label
    std::vector<FacetValue> values; ///< states in their order, others by count
    std::size_t others = 0; ///< devices with values beyond the first kMaxFacetValues
    bool operator==(const Facet&) const = default;
};
constexpr std::size_t kMaxFacetValues = 12; ///< guess: a list that is read without scrolling
constexpr std::size_t kMaxFacets = 6; ///< guess: state, version, and the four most used labels

/// Names as people order them: numbers in them by value, "site-9" before "site-10".
struct NaturalOrder
{
    bool operator()(std::string_view a, std::string_view b) const;
};

std::vector<Facet> facetsOf(const std::vector<DevicePtr>& devices);
/// Which fields facetsOf() counts, in its order, without counting.
std::vector<std::string> fieldsOf(const std::vector<DevicePtr>& devices);

/// The value of `field` by which a device is grouped: "state", "version", or a label; empty if it has none.
std::string groupValue(const Device& device, const std::string& field);
/// The same without a copy where there need be none; `buffer` holds what was made.
std::string_view groupView(const Device& device, const std::string& field, std::string& buffer);

} // namespace starling::fleetview
