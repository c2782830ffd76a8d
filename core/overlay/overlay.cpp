// SPDX-License-Identifier: Apache-2.0
#include "overlay/overlay.h"

#include "overlay/board_exchange.h"
#include "overlay/broadcast.h"
#include "overlay/forward_pace.h"
#include "overlay/root_exchange.h"
#include "overlay/services.h"

#include <algorithm>
#include <array>

namespace starling::overlay {

namespace {

template <class... Cases> struct Overloaded : Cases...
{
    using Cases::operator()...;
};
/// Clang does not deduce aggregates.
template <class... Cases> Overloaded(Cases...) -> Overloaded<Cases...>;

/// What a refusal that may come of our own ignorance weighs against one that cannot: while a root or the
/// certificates are not here yet, an honest neighbour has a whole board of such notices (8,192 documents of
/// 4,096 devices, twice).
constexpr std::uint64_t kCertain = 16;
constexpr std::uint64_t kDoubtful = 1;
/// The share of Config::refusalsBeforeMute that each round forgives; guess: notices that are refused now and
/// then, over weeks, mute nobody.
constexpr std::uint64_t kForgivenShare = 10;

constexpr std::size_t kTimers = static_cast<std::size_t>(Timer::What::Collect) + 1;

/// Of notices at one place of the board. Guess: as often as anybody publishes (performance.md, 1); without a
/// bound, whoever holds a release key could fill every link.
constexpr Duration kNoticeInterval = std::chrono::seconds(1);

/// Whether a neighbour that verifies what it forwards may have sent this all the same: it holds another root,
/// more certificates or another content than we do.
bool isDoubtful(Errc code)
{
    static constexpr std::array kCodes = {
        Errc::UnknownKey, Errc::WrongScope,  Errc::BelowThreshold, Errc::Rollback, Errc::Equivocation,
        Errc::WrongEpoch, Errc::NotAdmitted, Errc::RootGap,        Errc::Denied,   Errc::TooLarge,
    };
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

/// What a device may say whose certificate is over.
bool isHeardOfRestricted(const Message& message, const Mediator& mediator)
{
    if (const auto* notice = std::get_if<NoticeMessage>(&message))
        return mediator.isForRestricted(notice->bytes);
    if (const auto* petition = std::get_if<PetitionMessage>(&message))
        return petition->observer.isZero();
    if (const auto* grant = std::get_if<GrantMessage>(&message))
        return grant->observer.isZero();
    return std::holds_alternative<StandingMessage>(message)
        || std::holds_alternative<AskRootsMessage>(message) || std::holds_alternative<RootsMessage>(message)
        || std::holds_alternative<SummaryMessage>(message) || std::holds_alternative<RequestMessage>(message)
        || std::holds_alternative<MoreMessage>(message);
}

} // namespace

class Overlay::Impl
{
public:
    Impl(const NodeId& self, SharedConfig config, Mediator& mediator, RandomSource& random)
        : m_self(self)
        , m_sharedConfig(std::move(config))
        , m_config(*m_sharedConfig)
        , m_mediator(mediator)
        , m_random(random)
        , m_broadcast(m_config)
        , m_exchange(m_self, m_config, mediator)
        , m_roots(m_config, mediator)
    {
    }

    std::vector<Output> start(Instant now);
    void handle(const Input& input, Instant now, std::vector<Output>& outputs);
    const Neighbors& neighbors() const { return m_stats; }
    const Services* services() const { return m_services.get(); }
    void prefetchFor(ByteView message) const
    {
        m_conduct.prefetch();
        if (concernsTree(message))
            m_broadcast.prefetch();
        else
            m_exchange.prefetch();
    }

private:
    struct Conduct
    {
        std::uint64_t offence = 0; ///< in sixteenths of a certain one
        Instant since;
        bool isMuted = false;
        bool isRestricted = false;
    };
    static constexpr Instant kNever = Instant::max();
    struct Alarm
    {
        std::uint64_t generation = 0;
        Instant due = kNever;
    };

    Services& services(Postbox& postbox);
    void onRestrictedUp(const NeighborUp& input, Instant now, Postbox& postbox);
    void onNeighborUp(const NeighborUp& input, Instant now, Postbox& postbox);
    void onNeighborDown(NeighborId neighbor, Instant now);
    void onMessage(const MessageReceived& input, Instant now, Postbox& postbox);
    void onTimer(const Timer& timer, Instant now, Postbox& postbox);
    void onNotice(NeighborId from, const NoticeMessage& message, Instant now, Postbox& postbox);
    void onStanding(NeighborId from, const StandingMessage& message, Instant now, Postbox& postbox);
    void onRoots(NeighborId from, const RootsMessage& message, Instant now, Postbox& postbox);
    void sendStanding(NeighborId to, Instant now, Postbox& postbox);
    void afterRoots(std::optional<NeighborId> from, Instant now, Postbox& postbox);
    void publish(const NoticeKey& key, Instant now, Postbox& postbox);
    void spread(const NoticeKey& key, const NoticeMessage& message, std::optional<NeighborId> from,
                Instant now, Postbox& postbox);
    void keep(const NoticeKey& key, ByteView notice, NeighborId from, Instant now);
    void refuse(NeighborId from, Error error, Instant now, Postbox& postbox);
    void forgive();
    Instant nextRound(Instant now);
    void set(Timer::What what, std::optional<Instant> due, Instant now, Postbox& postbox);
    void setAlarms(Instant now, Postbox& postbox);

    const NodeId m_self;
    const SharedConfig m_sharedConfig;
    const Config& m_config; ///< the same: what all parts look at
    Mediator& m_mediator;
    RandomSource& m_random;
    Broadcast m_broadcast;
    BoardExchange m_exchange;
    RootExchange m_roots;
    std::uint64_t m_toldRoot = 0; ///< the newest root that neighbours were told of
    std::unique_ptr<Services> m_services; ///< once they are needed
    ForwardPace m_pace{kNoticeInterval};
    Neighbors m_stats;
    PerNeighbor<Conduct> m_conduct; ///< of the same neighbours
    Instant m_nextRound;
    std::optional<Instant> m_nextRefresh;
    std::array<Alarm, kTimers> m_alarms; ///< by Timer::What
};

std::vector<Output> Overlay::Impl::start(Instant now)
{
    std::vector<Output> outputs;
    Postbox postbox(outputs, m_stats, m_config);
    m_nextRound = nextRound(now);
    m_toldRoot = m_mediator.rootNumber();
    setAlarms(now, postbox);
    return outputs;
}

void Overlay::Impl::handle(const Input& input, Instant now, std::vector<Output>& outputs)
{
    Postbox postbox(outputs, m_stats, m_config);
    std::visit(
        Overloaded{
            [&](const NeighborUp& up) { onNeighborUp(up, now, postbox); },
            [&](const NeighborDown& down) { onNeighborDown(down.neighbor, now); },
            [&](const MessageReceived& received) { onMessage(received, now, postbox); },
            [&](const TimerExpired& expired) { onTimer(expired.timer, now, postbox); },
            [&](const Publish& own) { publish(own.key, now, postbox); },
            [&](const Provide& own) { services(postbox).discovery.provide(own, postbox); },
            [&](const StopProviding& own) {
                services(postbox).discovery.stopProviding(own.payload, postbox);
            },
            [&](const FindProviders& want) { services(postbox).discovery.find(want.payload, now, postbox); },
            [&](const StopFinding& want) { services(postbox).discovery.stopFinding(want.payload); },
            [&](const Observe& own) { services(postbox).collection.observe(own.pulse, now, postbox); },
            [&](const Report& own) { services(postbox).collection.report(own, now); },
            [&](const ReceiptKept& kept) { services(postbox).collection.kept(kept, now); },
            [&](const Petition& own) { services(postbox).petitions.petition(own, now, postbox); },
            [&](const Grant& own) { services(postbox).petitions.grant(own, postbox); },
            [&](const Renew& own) { services(postbox).renewals.renew(own, postbox); },
            [&](const Renewed& own) { services(postbox).renewals.renewed(own, postbox); },
        },
        input);
    setAlarms(now, postbox);
}

Instant Overlay::Impl::nextRound(Instant now)
{
    // Between three quarters and five quarters of the interval: nodes that started together drift apart.
    const auto spread = std::max<Duration::rep>(m_config.antiEntropy.count() / 2, 1);
    const auto drawn = m_random.below(static_cast<std::uint64_t>(spread));
    return now + m_config.antiEntropy * 3 / 4 + Duration(static_cast<Duration::rep>(drawn));
}

/// Those who are neighbours already are known to what is made now as they would be if it had always been
/// there.
Services& Overlay::Impl::services(Postbox& postbox)
{
    if (m_services)
        return *m_services;
    m_services = std::make_unique<Services>(m_self, m_config, m_mediator, m_random);
    for (const auto& [neighbor, conduct] : m_conduct)
        if (!conduct.isMuted)
            m_services->addNeighbor(neighbor, m_stats.at(neighbor).node, conduct.isRestricted, conduct.since,
                                    postbox);
    return *m_services;
}

void Overlay::Impl::set(Timer::What what, std::optional<Instant> due, Instant now, Postbox& postbox)
{
    Alarm& alarm = m_alarms[static_cast<std::size_t>(what)];
    if (alarm.due == due.value_or(kNever))
        return;
    alarm.due = due.value_or(kNever);
    ++alarm.generation;
    if (due)
        postbox.put(ScheduleTimer{std::max(*due - now, Duration(0)), {what, alarm.generation}});
}

void Overlay::Impl::setAlarms(Instant now, Postbox& postbox)
{
    set(Timer::What::AntiEntropy, m_nextRound, now, postbox);
    if (m_services) {
        if (!m_services->discovery.needsRefresh())
            m_nextRefresh.reset();
        else if (!m_nextRefresh)
            m_nextRefresh = now + m_config.providerLifetime / 2;
        set(Timer::What::AskProviders, m_services->discovery.nextQuestion(), now, postbox);
        set(Timer::What::Expire, m_nextRefresh, now, postbox);
    }
    set(Timer::What::Tell, m_broadcast.nextTelling(), now, postbox);
    set(Timer::What::Graft, m_broadcast.nextAsking(), now, postbox);
    if (m_services)
        set(Timer::What::Collect, m_services->collection.nextWork(), now, postbox);
}

void Overlay::Impl::onTimer(const Timer& timer, Instant now, Postbox& postbox)
{
    Alarm& alarm = m_alarms[static_cast<std::size_t>(timer.what)];
    if (alarm.generation != timer.generation || alarm.due == kNever)
        return;
    // A timer may fire a little early; what is not due yet is only scheduled again.
    if (std::exchange(alarm.due, kNever) > now)
        return;
    switch (timer.what) {
    case Timer::What::AntiEntropy:
        m_nextRound = nextRound(now);
        forgive();
        m_pace.forgetQuiet(now);
        m_roots.round(now);
        afterRoots(std::nullopt, now, postbox);
        m_exchange.round(now, postbox);
        for (const auto& [neighbor, conduct] : m_conduct)
            if (conduct.isRestricted && !conduct.isMuted)
                sendStanding(neighbor, now, postbox);
        return;
    case Timer::What::AskProviders:
        return services(postbox).discovery.askAgain(now, postbox);
    case Timer::What::Expire:
        m_nextRefresh.reset();
        return services(postbox).discovery.refresh(now, postbox);
    case Timer::What::Tell:
        return m_broadcast.tell(now, postbox);
    case Timer::What::Graft:
        return m_broadcast.ask(now, postbox);
    case Timer::What::Collect:
        return services(postbox).collection.work(now, postbox);
    }
}

void Overlay::Impl::onNeighborUp(const NeighborUp& input, Instant now, Postbox& postbox)
{
    // A link to ourselves (our own address among the configured ones) has nothing to tell.
    if (input.node == m_self || m_stats.contains(input.neighbor) || m_stats.size() >= m_config.maxNeighbors)
        return;
    m_stats[input.neighbor].node = input.node;
    m_conduct[input.neighbor] = {0, now, false, input.isRestricted};
    if (input.isRestricted)
        return onRestrictedUp(input, now, postbox);
    m_broadcast.addNeighbor(input.neighbor, input.roundTrip, input.node < m_self, now);
    m_roots.addNeighbor(input.neighbor, now);
    m_exchange.addNeighbor(input.neighbor, input.node, false, now);
    sendStanding(input.neighbor, now, postbox);
    m_exchange.compare(input.neighbor, now, postbox);
    if (m_services)
        m_services->addNeighbor(input.neighbor, input.node, false, now, postbox);
}

/// Neither the tree nor payload nor receipts know of it.
void Overlay::Impl::onRestrictedUp(const NeighborUp& input, Instant now, Postbox& postbox)
{
    if (m_services)
        m_services->addNeighbor(input.neighbor, input.node, true, now, postbox);
    m_roots.addNeighbor(input.neighbor, now);
    m_exchange.addNeighbor(input.neighbor, input.node, true, now);
    sendStanding(input.neighbor, now, postbox);
}

void Overlay::Impl::onNeighborDown(NeighborId neighbor, Instant now)
{
    m_stats.erase(neighbor);
    m_conduct.erase(neighbor);
    m_broadcast.removeNeighbor(neighbor);
    m_exchange.removeNeighbor(neighbor);
    m_roots.removeNeighbor(neighbor);
    if (m_services)
        m_services->removeNeighbor(neighbor, now);
}

void Overlay::Impl::onMessage(const MessageReceived& input, Instant now, Postbox& postbox)
{
    const NeighborId from = input.from;
    const auto conduct = m_conduct.find(from);
    if (conduct == m_conduct.end() || conduct->second.isMuted)
        return;
    if (input.bytes.size() > m_config.maxMessageBytes)
        return refuse(from, {Errc::TooLarge, "message of " + std::to_string(input.bytes.size()) + " bytes"},
                      now, postbox);
    const auto message = parse(input.bytes);
    if (!message) {
        // A message of a later version is no offence; it is as if it had not come.
        if (message.error().code != Errc::UnsupportedFormat)
            refuse(from, message.error(), now, postbox);
        return;
    }
    if (conduct->second.isRestricted && !isHeardOfRestricted(*message, m_mediator))
        return; // it does not know that its certificate is over, or that we think so: no offence
    const auto judge = [&](const Status& status) {
        if (!status)
            refuse(from, status.error(), now, postbox);
    };
    std::visit(
        Overloaded{
            [&](const NoticeMessage& m) { onNotice(from, m, now, postbox); },
            [&](const DigestMessage& m) { m_exchange.onDigest(from, m, now, postbox); },
            [&](const SummaryMessage& m) { m_exchange.onSummary(from, m, now, postbox); },
            [&](const RequestMessage& m) { m_exchange.onRequest(from, m, now, postbox); },
            [&](const MoreMessage&) { m_exchange.onMore(from, postbox); },
            [&](const HaveMessage& m) { judge(services(postbox).discovery.onHave(from, m, now, postbox)); },
            [&](const StopHaveMessage& m) { services(postbox).discovery.onStopHave(from, m); },
            [&](const WhoHasMessage& m) { services(postbox).discovery.onWhoHas(from, m, now, postbox); },
            [&](const ProvidersMessage& m) {
                judge(services(postbox).discovery.onProviders(from, m, now, postbox));
            },
            [&](const IHaveMessage& m) { m_broadcast.onIHave(from, m, now); },
            [&](const GraftMessage& m) { m_broadcast.onGraft(from, m, now, m_mediator, postbox); },
            [&](const PruneMessage&) { m_broadcast.onPrune(from); },
            [&](const StandingMessage& m) { onStanding(from, m, now, postbox); },
            [&](const AskRootsMessage& m) { m_roots.onAskRoots(from, m, now, postbox); },
            [&](const RootsMessage& m) { onRoots(from, m, now, postbox); },
            [&](const RangesMessage& m) { m_exchange.onRanges(from, m, now, postbox); },
            [&](const PulseMessage& m) {
                judge(services(postbox).collection.onPulse(from, m, now, postbox));
            },
            [&](const ReceiptsMessage& m) {
                judge(services(postbox).collection.onReceipts(from, m, now, postbox));
            },
            [&](const AcceptedMessage& m) { services(postbox).collection.onAccepted(from, m, now); },
            [&](const DeliveredMessage& m) { services(postbox).collection.onDelivered(from, m, postbox); },
            [&](const SumsMessage& m) { services(postbox).collection.onSums(from, m, now); },
            [&](const PetitionMessage& m) {
                judge(m.observer.isZero() ? services(postbox).renewals.onPetition(from, m, now, postbox)
                                          : services(postbox).petitions.onPetition(from, m, now, postbox));
            },
            [&](const GrantMessage& m) {
                judge(m.observer.isZero() ? services(postbox).renewals.onGrant(from, m, postbox)
                                          : services(postbox).petitions.onGrant(from, m, postbox));
            },
        },
        *message);
}

void Overlay::Impl::onNotice(NeighborId from, const NoticeMessage& message, Instant now, Postbox& postbox)
{
    const ByteView notice = message.bytes;
    NeighborStats& stats = m_stats.at(from);
    ++stats.noticesIn;
    Mediator::Opinion opinion = m_mediator.examine(notice);
    switch (opinion.verdict) {
    case Mediator::Verdict::Taken:
        // What changes too fast is not passed on one by one: comparing boards brings the newest.
        if (m_pace.allows(opinion.head.key, now))
            spread(opinion.head.key, message, from, now, postbox);
        else
            keep(opinion.head.key, notice, from, now);
        if (m_services)
            m_services->collection.noticeTaken(now, postbox);
        postbox.put(NoticeTaken{from, std::move(opinion.head)});
        if (m_mediator.rootNumber() > m_toldRoot)
            afterRoots(from, now, postbox);
        return;
    case Mediator::Verdict::Known:
        ++stats.duplicates;
        m_broadcast.onDuplicate(from, message, now, postbox);
        return;
    case Mediator::Verdict::Refused:
        Error error = opinion.error.value_or(Error{Errc::Refused, "notice"});
        if (m_roots.keep(from, notice, error, now, postbox))
            return m_mediator.excuse(error);
        refuse(from, std::move(error), now, postbox);
        return;
    }
}

void Overlay::Impl::sendStanding(NeighborId to, Instant now, Postbox& postbox)
{
    if (m_mediator.rootNumber() == 0)
        return; // nothing to tell
    postbox.send(to, StandingMessage{m_mediator.rootNumber(), m_exchange.urgentDigest()});
    m_exchange.standingSent(to, now);
}

void Overlay::Impl::onStanding(NeighborId from, const StandingMessage& message, Instant now, Postbox& postbox)
{
    m_roots.onNumber(from, message.root, now, postbox);
    m_exchange.onUrgent(from, message.urgent, now, postbox);
}

void Overlay::Impl::onRoots(NeighborId from, const RootsMessage& message, Instant now, Postbox& postbox)
{
    if (!m_roots.isAwaited(from))
        return;
    std::optional<std::pair<NoticeKey, ByteView>> newest;
    for (const ByteView notice : message.notices) {
        Mediator::Opinion opinion = m_mediator.examine(notice);
        if (opinion.verdict == Mediator::Verdict::Refused) {
            refuse(from, opinion.error.value_or(Error{Errc::Refused, "root"}), now, postbox);
            break;
        }
        if (opinion.verdict != Mediator::Verdict::Taken)
            continue;
        newest = {opinion.head.key, notice};
        postbox.put(NoticeTaken{from, std::move(opinion.head)});
    }
    m_roots.settle(from, newest.has_value(), now, postbox);
    // Of a chain only the end is passed on: who lacks more of it asks.
    if (newest)
        spread(newest->first, {newest->second, true}, from, now, postbox);
    afterRoots(from, now, postbox);
}

/// Tells neighbours of a root that is new here, and examines again what has waited for one.
void Overlay::Impl::afterRoots(std::optional<NeighborId> from, Instant now, Postbox& postbox)
{
    if (m_mediator.rootNumber() > m_toldRoot) {
        m_toldRoot = m_mediator.rootNumber();
        m_exchange.boardChanged(); // other notices may have left it
        for (const auto& [neighbor, stats] : m_stats)
            if (neighbor != from)
                sendStanding(neighbor, now, postbox);
    }
    for (const RootExchange::Waiting& waiting : m_roots.takeReady())
        if (m_stats.contains(waiting.from))
            onNotice(waiting.from, {waiting.notice, !m_broadcast.isEager(waiting.from)}, now, postbox);
}

void Overlay::Impl::publish(const NoticeKey& key, Instant now, Postbox& postbox)
{
    const Bytes notice = m_mediator.notice(key);
    if (notice.empty())
        m_exchange.boardChanged();
    else
        spread(key, {notice}, std::nullopt, now, postbox);
    if (m_mediator.rootNumber() > m_toldRoot)
        afterRoots(std::nullopt, now, postbox);
}

void Overlay::Impl::spread(const NoticeKey& key, const NoticeMessage& message, std::optional<NeighborId> from,
                           Instant now, Postbox& postbox)
{
    m_exchange.boardChanged();
    if (from)
        m_exchange.settled(*from, key);
    for (const NeighborId neighbor : m_broadcast.spread(key, message, from, now, postbox))
        m_exchange.settled(neighbor, key);
    if (!m_mediator.urgentRange().contains(key))
        return;
    for (const auto& [neighbor, conduct] : m_conduct)
        if (conduct.isRestricted && neighbor != from) {
            m_exchange.settled(neighbor, key);
            postbox.sendNotice(neighbor, message.bytes, true);
        }
}

void Overlay::Impl::keep(const NoticeKey& key, ByteView notice, NeighborId from, Instant now)
{
    m_exchange.boardChanged();
    m_exchange.settled(from, key);
    m_broadcast.hear(from, notice, now);
}

void Overlay::Impl::refuse(NeighborId from, Error error, Instant now, Postbox& postbox)
{
    ++m_stats.at(from).refused;
    Conduct& conduct = m_conduct.at(from);
    conduct.offence += isDoubtful(error.code) ? kDoubtful : kCertain;
    postbox.put(NoticeRefused{from, std::move(error)});
    if (conduct.offence <= m_config.refusalsBeforeMute * kCertain)
        return;
    // It stays a neighbour and is sent what all are sent, but nothing is asked of it nor answered to it.
    conduct.isMuted = true;
    m_exchange.removeNeighbor(from);
    m_roots.removeNeighbor(from);
    if (m_services)
        m_services->removeNeighbor(from, now);
}

void Overlay::Impl::forgive()
{
    const std::uint64_t forgiven = m_config.refusalsBeforeMute * kCertain / kForgivenShare;
    for (auto& [neighbor, conduct] : m_conduct)
        conduct.offence -= std::min(conduct.offence, forgiven);
}

SharedConfig::SharedConfig(Config config)
{
    config.maxMessageBytes = std::min(config.maxMessageBytes, kMaxMessageBytes);
    config.maxProvidersPerAnswer = std::min(config.maxProvidersPerAnswer, kMaxProviders);
    m_config = std::make_shared<const Config>(config);
}

Overlay::Overlay(NodeId self, Config config, Mediator& mediator, RandomSource& random)
    : Overlay(self, SharedConfig(config), mediator, random)
{
}

Overlay::Overlay(NodeId self, SharedConfig config, Mediator& mediator, RandomSource& random)
    : m_impl(std::make_unique<Impl>(self, std::move(config), mediator, random))
{
}

Overlay::~Overlay() = default;

std::vector<Output> Overlay::start(Instant now)
{
    return m_impl->start(now);
}

std::vector<Output> Overlay::handle(const Input& input, Instant now)
{
    std::vector<Output> outputs;
    outputs.reserve(neighbors().size() + 1); // a message to each, and a timer
    m_impl->handle(input, now, outputs);
    return outputs;
}

void Overlay::handle(const Input& input, Instant now, std::vector<Output>& outputs)
{
    m_impl->handle(input, now, outputs);
}

const Neighbors& Overlay::neighbors() const
{
    return m_impl->neighbors();
}

void Overlay::prefetch() const
{
    starling::prefetch(m_impl.get(), sizeof(Impl));
}

void Overlay::prefetchFor(ByteView message) const
{
    m_impl->prefetchFor(message);
}

std::optional<NeighborId> Overlay::parent(const NodeId& observer) const
{
    const Services* services = m_impl->services();
    return services == nullptr ? std::nullopt : services->collection.parent(observer);
}

std::optional<Hints> Overlay::hints(Instant now) const
{
    const Services* services = m_impl->services();
    return services == nullptr ? std::nullopt : services->collection.hints(now);
}

std::vector<Waiting> Overlay::waiting(Instant now) const
{
    const Services* services = m_impl->services();
    return services == nullptr ? std::vector<Waiting>() : services->petitions.waiting(now);
}

std::size_t Overlay::petitionsHeld() const
{
    return m_impl->services() == nullptr ? 0 : m_impl->services()->petitions.held();
}

std::size_t Overlay::receiptsHeld() const
{
    return m_impl->services() == nullptr ? 0 : m_impl->services()->collection.held();
}

} // namespace starling::overlay
