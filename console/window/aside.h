// SPDX-License-Identifier: Apache-2.0
/// Counting what the window shows of a fleet: here and now while devices are few, in a thread of its own
/// where they are many, so that no frame waits for it.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <functional>
#include <memory>

namespace starling::window {

class Aside : public QObject
{
public:
    static constexpr std::size_t kFew = 5'000; ///< devices; guess: a few milliseconds of any count

    explicit Aside(QObject* parent = nullptr);
    /// Waits for what is being counted, and tells nobody.
    ~Aside() override;
    /// `then` gets, in the window's thread, what `work` returned, at once if `devices` are few. Of what is
    /// asked for meanwhile the latest is counted next, and the others never.
    template <class T> void run(std::size_t devices, std::function<T()> work, std::function<void(T)> then)
    {
        start(devices <= kFew, [work = std::move(work), then = std::move(then)] {
            auto result = std::make_shared<T>(work());
            return [result, then] { then(std::move(*result)); };
        });
    }

    /// What is being counted is told no more: something newer is shown already.
    void drop();

private:
    using Told = std::function<void()>;
    void start(bool isNow, std::function<Told()> work);
    void begin(std::function<Told()> work);
    std::function<Told()> m_next;
    bool m_isWorking = false;
    bool m_isOutdated = false; ///< what is being counted is of before the latest answer
    QThreadPool m_pool; ///< last: what it runs is over before the rest goes
};

} // namespace starling::window
