// SPDX-License-Identifier: Apache-2.0
#include "control/devices_codec.h"

namespace starling::control {

namespace {

using bencode::Dict;
using bencode::Integer;
using bencode::List;
using bencode::Value;

Value number(std::uint64_t value)
{
    return static_cast<Integer>(std::min<std::uint64_t>(value, static_cast<std::uint64_t>(kMost)));
}

Value blob(ByteView bytes)
{
    return bencode::String(bytes.begin(), bytes.end());
}

Value lineValue(const DeviceLine& line)
{
    Dict labels;
    for (const auto& [name, value] : line.labels)
        labels[name] = std::string_view(value);
    return Dict{{"node", blob(line.node.bytes())},
                {"name", Value(std::string_view(line.name))},
                {"labels", std::move(labels)},
                {"receipt", line.receipt.serialize()}};
}

DeviceLine readLine(Fields& in)
{
    DeviceLine line{in.id<NodeId>("node"), in.text("name"), in.texts("labels"), {}};
    if (auto receipt = trust::Receipt::parse(in.bytes("receipt")))
        line.receipt = std::move(*receipt);
    else
        in.note(receipt.error());
    return line;
}

DevicesMark readMark(Fields& in)
{
    return {in.integerOr("era", 0), in.integerOr("after", 0)};
}

} // namespace

Dict fieldsOf(const DevicesRequest& request)
{
    return {{"era", number(request.since.era)},
            {"after", number(request.since.change)},
            {"most", number(request.most)}};
}

Dict fieldsOf(const DevicesReply& reply)
{
    List lines;
    for (const DeviceLine& line : reply.devices)
        lines.push_back(lineValue(line));
    return {{"devices", std::move(lines)},   {"observer", number(reply.isObserver)},
            {"era", number(reply.mark.era)}, {"after", number(reply.mark.change)},
            {"last", number(reply.isLast)},  {"total", number(reply.total)}};
}

Result<Request> readDevicesRequest(Fields& in)
{
    DevicesRequest request;
    request.since = readMark(in);
    request.most = in.integerOr<std::uint32_t>("most", kMaxDevicesTold, UINT32_MAX, 1);
    return in.finish<Request>(request);
}

Result<Reply> readDevicesReply(Fields& in)
{
    DevicesReply reply;
    reply.devices = in.items<DeviceLine>("devices", readLine);
    reply.isObserver = in.integer("observer", 1) == 1;
    reply.mark = readMark(in);
    reply.isLast = in.integerOr("last", 1, 1) == 1;
    reply.total = in.integerOr("total", reply.devices.size());
    return in.finish<Reply>(std::move(reply));
}

} // namespace starling::control
