// SPDX-License-Identifier: Apache-2.0
/// nat::PortMapper with a hostile router: the input is a script of its answers, of timers and of what UPnP
/// says. Each step is one byte of what to do, one of length, and that many bytes. Whatever comes, it sends no
/// more than what each timer, answer and piece of news allows, and what it holds makes sense.
#include "base/assert.h"
#include "fuzz.h"
#include "nat/port_mapper.h"

#include <algorithm>

using namespace starling;
using namespace starling::nat;

namespace {

constexpr std::size_t kMaxSteps = 128;
constexpr std::size_t kMaxSentAtOnce = 3; // TCP is given back, and asked for
const Endpoint kGateway = Endpoint::ipv4(192, 168, 1, 1, kPortMapPort);
const Endpoint kOwn = Endpoint::ipv4(192, 168, 1, 20, 7'891);

struct World
{
    SeededRandom random{1};
    PortMapper mapper{{kGateway, kOwn}, random};
    Instant now{};
    std::optional<PortMapTimer> timer;
    Bytes last;
    unsigned ends = 0;

    void take(const PortMapper::Outputs& outputs)
    {
        std::size_t sent = 0;
        for (const PortMapper::Output& output : outputs) {
            if (const auto* datagram = std::get_if<SendDatagram>(&output)) {
                STARLING_ASSERT(datagram->to == kGateway && ++sent <= kMaxSentAtOnce);
                last = datagram->bytes;
            } else if (const auto* scheduled = std::get_if<SchedulePortMap>(&output)) {
                STARLING_ASSERT(scheduled->delay >= Duration(0));
                timer = scheduled->timer;
            } else if (std::holds_alternative<PortMapperEnded>(output)) {
                STARLING_ASSERT(++ends == 1);
            }
        }
        if (const auto& held = mapper.mapping())
            STARLING_ASSERT(isUnicast(held->external) && held->external.isIpv4()
                            && held->lease <= PortMapper::kLease);
        STARLING_ASSERT(mapper.trouble().size() < 1'000);
    }
    /// An answer to the last question, with these bytes over its end.
    Bytes answer(ByteView end) const
    {
        Bytes bytes = last;
        if (bytes.size() < 2)
            return toBytes(end);
        bytes[1] |= std::byte{0x80};
        bytes.resize(std::max(bytes.size(), std::size_t{16}));
        std::copy_n(end.begin(), std::min(end.size(), bytes.size()),
                    bytes.end() - static_cast<std::ptrdiff_t>(std::min(end.size(), bytes.size())));
        return bytes;
    }
    void step(std::uint8_t what, ByteView rest)
    {
        now += std::chrono::seconds(what / 8);
        const Bytes bytes = what % 2 == 0 ? toBytes(rest) : answer(rest);
        const DatagramReceived received{kMainSocket, kGateway, bytes};
        if (what % 8 < 4) {
            take(mapper.handle(received, now));
        } else if (what % 8 == 4) {
            take(mapper.onNews(received, now));
        } else if (what % 8 == 5) {
            const PortMapping mapping{PortMapMethod::Upnp, Endpoint::ipv4(203, 0, 113, what, what), true,
                                      std::chrono::seconds(what % 16)};
            take(mapper.handle(UpnpAnswered{rest.empty() ? Result<PortMapping>(fail(Errc::NotFound, "none"))
                                                         : Result<PortMapping>(mapping)},
                               now));
        } else if (what == 0xff) {
            take(mapper.stop(now));
        } else if (timer) {
            take(mapper.handle(*timer, now));
        }
    }
};

void addStep(Bytes& script, std::uint8_t what, ByteView rest = {})
{
    script.push_back(std::byte{what});
    script.push_back(static_cast<std::byte>(rest.size()));
    append(script, rest);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    World world;
    world.take(world.mapper.start(world.now));
    ByteReader in(std::as_bytes(std::span(data, size)));
    for (std::size_t steps = 0; steps < kMaxSteps && !in.rest().empty(); ++steps) {
        const std::uint8_t what = in.u8();
        const std::size_t length = std::min<std::size_t>(in.u8(), in.rest().size());
        world.step(what, in.raw(length));
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    // The end of PCP's answer: ports and an address; the reserved field in front stays the request's zeros.
    ByteWriter mapped;
    mapped.u16(7'891);
    mapped.u16(7'891);
    const Endpoint outside = Endpoint::ipv4(203, 0, 113, 9, 0);
    mapped.raw(std::as_bytes(std::span(outside.address)));
    const Bytes end = mapped.take();
    Bytes pcp, older, upnp;
    addStep(pcp, 1, end);
    addStep(pcp, 1, end);
    addStep(pcp, 6);
    addStep(pcp, 0xff);
    addStep(older, 0, *fromHex("0081000100000007"));
    addStep(older, 0, *fromHex("0080000000000007cb007109"));
    addStep(older, 0, *fromHex("00810000000000071ed31ed3000004b0"));
    addStep(older, 0, *fromHex("00820000000000071ed31ed3000004b0"));
    addStep(older, 0x84, *fromHex("0080000000000000cb007109"));
    for (int i = 0; i < 7; ++i)
        addStep(upnp, 6);
    addStep(upnp, 13, toBytes("x"));
    addStep(upnp, 6);
    addStep(upnp, 0xff);
    return {pcp, older, upnp};
}
