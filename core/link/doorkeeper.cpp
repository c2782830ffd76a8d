// SPDX-License-Identifier: Apache-2.0
#include "link/doorkeeper.h"

#include "link/ways.h"

namespace starling::link {

namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

Cookie cookieBy(const crypto::Secret<32>& secret, const Endpoint& from)
{
    ByteWriter writer;
    write(writer, from);
    return crypto::authenticationCode(secret.bytes(), writer.take());
}

} // namespace

Doorkeeper::Doorkeeper(RandomSource& random)
    : m_random(random)
{
    m_random.fill(m_secret.bytes());
    m_random.fill(m_previous.bytes());
}

void Doorkeeper::renew(Instant now)
{
    if (!m_since)
        m_since = now;
    if (now - *m_since < kSecretLifetime)
        return;
    const bool isStale = now - *m_since >= 2 * kSecretLifetime; // nobody asked for so long
    m_previous = std::move(m_secret);
    m_random.fill(m_secret.bytes());
    if (isStale)
        m_random.fill(m_previous.bytes());
    m_since = now;
}

Doorkeeper::Verdict Doorkeeper::judge(const Endpoint& from, const Cookie& cookie, std::size_t halfOpen,
                                      Instant now)
{
    if (now - m_second >= kSecond) {
        m_second = now;
        m_asked = m_answered = 0;
    }
    ++m_asked;
    const bool isBusy = !isStream(from) && (m_asked > kFreePerSecond || halfOpen >= kFreeHalfOpen);
    if (isBusy) {
        renew(now);
        if (!crypto::isEqual(cookieBy(m_secret, from), cookie)
            && !crypto::isEqual(cookieBy(m_previous, from), cookie))
            return Verdict::AskForCookie;
    }
    if (m_answered >= kMaxPerSecond)
        return Verdict::Ignore;
    ++m_answered;
    return Verdict::Answer;
}

Cookie Doorkeeper::cookieFor(const Endpoint& from, Instant now)
{
    renew(now);
    return cookieBy(m_secret, from);
}

} // namespace starling::link
