// SPDX-License-Identifier: Apache-2.0
/// An HTTP proxy's CONNECT (RFC 9110 section 9.3.6, RFC 9112): what is asked of it, and whether it has opened
/// the way. A login goes by Basic (RFC 7617): whoever listens on the way
/// to the proxy reads it. Pure.
#pragma once

#include "base/bytes.h"
#include "base/endpoint.h"

namespace starling::nat {

/// Asks for a way to `to`; `login` is "user:password", or empty.
std::string connectRequest(const Endpoint& to, std::string_view login = {});

class ConnectReply
{
public:
    static constexpr std::size_t kMaxBytes =
        8 * 1024; ///< of status line and headers; guess, as servers bound them

    /// `hasLogin`: one was sent.
    explicit ConnectReply(bool hasLogin = false)
        : m_hasLogin(hasLogin)
    {
    }
    /// More of what the proxy says; whether the way is open now. Fails with Refused (403, 407 and others that
    /// say no), Unreachable (5xx: it says that it cannot reach the other side), Malformed (no HTTP) or
    /// TooLarge.
    Result<bool> push(ByteView bytes);
    /// After true: what came after its reply, from the other side.
    ByteView rest() const { return ByteView(m_bytes).subspan(m_end); }

private:
    bool m_hasLogin;
    Bytes m_bytes;
    std::size_t m_begin = 0, m_end = 0; ///< of the last reply, in m_bytes
};

} // namespace starling::nat
