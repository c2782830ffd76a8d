// SPDX-License-Identifier: Apache-2.0
#include "control/hints_codec.h"

namespace starling::control {

namespace {

using bencode::Dict;
using bencode::Integer;
using bencode::List;
using bencode::Value;

constexpr unsigned kFirst = 15; ///< the index of HintsRequest and HintsReply
static_assert(std::is_same_v<std::variant_alternative_t<kFirst, Request>, HintsRequest>);
static_assert(std::is_same_v<std::variant_alternative_t<kFirst, Reply>, HintsReply>);

Value number(std::uint64_t value)
{
    return static_cast<Integer>(std::min<std::uint64_t>(value, static_cast<std::uint64_t>(kMost)));
}

Dict lineValue(const HintLine& line)
{
    Dict dict{{"uri", Value(std::string_view(line.uri.text()))},
              {"epoch", number(line.revision.epoch)},
              {"version", number(line.revision.version)},
              {"phase", Value(trust::phaseName(line.phase))},
              {"devices", number(line.devices)},
              {"sites", number(line.site ? 1 : 0)},
              {"site", Value(std::string_view(line.site ? *line.site : std::string()))}};
    return dict;
}

HintLine readLine(Fields& in)
{
    HintLine line{in.uri("uri"), in.revision(), in.phase(), {}, in.integer("devices")};
    if (in.integer("sites", 1) == 1)
        line.site = in.text("site");
    return line;
}

} // namespace

Dict fieldsOf(const FetchRequest& request)
{
    // As a pulse carries it: one form, and one place where it is judged.
    trust::Pulse pulse{NodeId(), 1, true, request.ask};
    pulse.ask->number = 1;
    return {{"pulse", pulse.serialize()}};
}

Dict fieldsOf(const HintsReply& reply)
{
    List lines;
    for (const HintLine& line : reply.lines)
        lines.push_back(lineValue(line));
    return {{"summed", number(reply.isSummed ? 1 : 0)},
            {"devices", number(reply.devices)},
            {"folded", number(reply.folded)},
            {"age", number(reply.ageSeconds)},
            {"lines", std::move(lines)}};
}

Dict fieldsOf(const FetchReply& reply)
{
    return {{"valid", number(reply.validSeconds)}};
}

Result<Request> readLaterRequest(unsigned type, Fields& in)
{
    if (type == kFirst)
        return Request(HintsRequest{});
    if (type != kFirst + 1)
        return fail(Errc::UnsupportedFormat, "control request of unknown type " + std::to_string(type));
    const auto pulse = trust::Pulse::parse(in.bytes("pulse"));
    if (!pulse || !pulse->ask) {
        in.note(pulse ? Error{Errc::Malformed, "no question"} : pulse.error());
        return in.finish<Request>(FetchRequest{});
    }
    return in.finish<Request>(FetchRequest{*pulse->ask});
}

Result<Reply> readLaterReply(unsigned type, Fields& in)
{
    if (type == kFirst) {
        HintsReply reply;
        reply.isSummed = in.integer("summed", 1) == 1;
        reply.devices = in.integer("devices");
        reply.folded = in.integer("folded");
        reply.ageSeconds = in.integer("age");
        reply.lines = in.items<HintLine>("lines", readLine);
        return in.finish<Reply>(std::move(reply));
    }
    if (type == kFirst + 1)
        return in.finish<Reply>(FetchReply{in.integer("valid")});
    return fail(Errc::UnsupportedFormat, "control reply of unknown type " + std::to_string(type));
}

} // namespace starling::control
