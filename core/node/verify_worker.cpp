// SPDX-License-Identifier: Apache-2.0
#include "node/verify_worker.h"

namespace starling::node {

VerifyWorker::VerifyWorker(QObject* parent)
    : QObject(parent)
{
}

VerifyWorker::~VerifyWorker()
{
    m_stop = true;
    if (m_thread.joinable())
        m_thread.join();
}

void VerifyWorker::verify(const release::ReleaseInfo& info, const std::filesystem::path& directory,
                          Answer answer)
{
    m_jobs.push_back({info, directory, std::move(answer)});
    if (m_jobs.size() == 1)
        startNext();
}

void VerifyWorker::startNext()
{
    if (m_thread.joinable())
        m_thread.join();
    m_thread = std::thread([this, info = m_jobs.front().info, directory = m_jobs.front().directory] {
        auto result = std::make_shared<Verification>(verifyPayload(info, directory, m_stop));
        // Delivered by the event loop of this object's thread, and dropped if the object is gone by then.
        QMetaObject::invokeMethod(
            this, [this, result] { conclude(std::move(*result)); }, Qt::QueuedConnection);
    });
}

void VerifyWorker::conclude(Verification result)
{
    const Answer answer = std::move(m_jobs.front().answer);
    m_jobs.pop_front();
    if (!m_jobs.empty())
        startNext();
    answer(std::move(result));
}

} // namespace starling::node
