// SPDX-License-Identifier: Apache-2.0
/// Receipts at one node: its own, which the overlay takes to observers; and those of others, if a
/// subscription on the board names this node: then it pulses, and the store keeps the newest of each device.
#pragma once

#include "board/board_keeper.h"
#include "node/identity.h"
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

    bool isObserver() const { return m_services.keeper.isObserver(m_services.identity.node); }
    /// What is stored, as far as it still verifies; at most `limit`, in the order of the devices.
    Result<std::vector<board::DeviceReceipt>> receipts(std::size_t limit) const;
    /// How many receipts receipts() chooses from.
    std::uint64_t count() const;

private:
    void tick();
    void pulse();
    void keep();

    Services m_services;
    std::size_t m_pulses = 0; ///< since this node became an observer
    bool m_isPulsing = false;
    std::optional<trust::Receipt> m_own;
    Bytes m_ownParcel; ///< the same, sealed
    std::vector<store::ReceiptRow> m_arrived; ///< not stored yet
};

} // namespace starling::node
