// SPDX-License-Identifier: Apache-2.0
/// Hashes payloads on a thread of its own, one after the other, so that the event loop stays free.
#pragma once

#include "node/payload_verification.h"

#include <QObject>
#include <deque>
#include <thread>

namespace starling::node {

class VerifyWorker : public QObject
{
    Q_OBJECT

public:
    using Answer = std::function<void(Verification)>;

    explicit VerifyWorker(QObject* parent = nullptr);
    ~VerifyWorker() override; ///< stops at the next portion; the answer is then never given

    /// Answers from the event loop with PayloadMismatch, PayloadMissing, PayloadChanged, Io or the layers.
    void verify(const release::ReleaseInfo& info, const std::filesystem::path& directory, Answer answer);

private:
    struct Job
    {
        release::ReleaseInfo info;
        std::filesystem::path directory;
        Answer answer;
    };
    void startNext();
    void conclude(Verification result);
    std::deque<Job> m_jobs; ///< the first one runs
    std::atomic<bool> m_stop = false;
    std::thread m_thread;
};

} // namespace starling::node
