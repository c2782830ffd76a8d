// SPDX-License-Identifier: Apache-2.0
/// Receipts at one node: its own, which the overlay takes to observers; and those of others, if a
/// subscription on the board names this node: then it pulses, and the store keeps the newest of each device.
/// Once it holds receipts of more devices than it was set up for it wants sums, which are hints, and asks for
/// the receipts that somebody wants to see.
#pragma once

#include "board/board_keeper.h"
#include "node/identity.h"
#include "node/receipt_book.h"
#include "node/timer_queue.h"
#include "store/store.h"

namespace starling::node {

class ReceiptDesk
{
public:
    struct Services
    {
        store::Store& store;
        TimerQueue& timers;
        board::BoardKeeper& keeper;
        const Identity& identity;
        std::function<Result<std::uint64_t>(const char*)> nextSequence;
        std::function<void(const overlay::Input&)> feedOverlay;
        std::function<void(const trust::Receipt&)> received; ///< each newer one, verified and stored
        std::function<std::optional<overlay::Hints>()> hints; ///< of the overlay
        RandomSource& random;
        std::optional<std::uint64_t> sumsAbove = {}; ///< instead of what the subscription says
    };
    explicit ReceiptDesk(Services services);

    /// The overlay has started: from now on subscriptions end when they are over, and this node pulses if one
    /// names it.
    void begin();
    /// The board took a subscription.
    void subscribed();
    /// Signs our own newest receipt, and sends it.
    void report(trust::Receipt receipt);
    /// Our own newest one, if there is one since this start.
    const std::optional<trust::Receipt>& own() const { return m_own; }
    void arrived(const overlay::ReceiptArrived& arrived);

    /// Asks the fleet for receipts, of devices that this observer has not heard since they changed; for
    /// kAskTime, or until the next question. `number` is set here. Refused if this node is no observer, or if
    /// receipts come by themselves.
    Status ask(trust::ReceiptAsk ask);
    static constexpr Duration kAskTime =
        std::chrono::minutes(5); ///< guess: a device that was offline a while
    /// Whether receipts come only if asked for.
    bool wantsSums() const { return m_wantsSums; }
    /// What the fleet said in sums; nothing while receipts come by themselves.
    std::optional<overlay::Hints> hints() const { return m_services.hints(); }

    bool isObserver() const { return m_services.keeper.isObserver(m_services.identity.node); }
    /// What is stored, as far as it still verifies: ReceiptBook::page.
    Result<ReceiptPage> page(const ReceiptMark& since, std::size_t most, std::size_t bytes)
    {
        return m_book.page(since, most, bytes);
    }
    /// Of how many devices something is stored.
    std::uint64_t count() const;

private:
    void tick();
    void pulse();
    void pulseOnce();
    void pulseSoon();
    void weigh();
    void keep();

    Services m_services;
    ReceiptBook m_book;
    std::size_t m_pulses = 0; ///< since this node became an observer
    bool m_isPulsing = false;
    std::optional<Instant> m_lastPulse;
    bool m_isPulseDue = false; ///< out of turn
    bool m_wantsSums = false;
    std::optional<trust::ReceiptAsk> m_ask;
    Instant m_askEnds;
    std::optional<trust::Receipt> m_own;
    Bytes m_ownParcel; ///< the same, sealed
    std::vector<store::ReceiptRow> m_arrived; ///< not stored yet
};

} // namespace starling::node
