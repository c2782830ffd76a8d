// SPDX-License-Identifier: Apache-2.0
/// Network namespaces: each a machine with interfaces, routes and packet filter of its own. They live as long
/// as this process at most, and none of them touches the network of the machine that the tests run on.
#pragma once

#include "base/result.h"

#include <QByteArray>
#include <QProcess>
#include <QStringList>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace starling::lab {

/// Puts this process, at the first call, into a network of its own, with nothing but loopback, which is up:
/// in a user namespace, so that it works without root, and root has no more power than it needs; or, where
/// those are forbidden, as root. To be called at the beginning of main(), before there is any thread. Says
/// why there can be no lab here, or nothing: no namespace is to be had, or a program is missing.
const std::string& enterLab();

/// One network namespace. Needs enterLab().
class Network
{
public:
    static Result<std::unique_ptr<Network>> create(std::string name);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    const std::string& name() const { return m_name; }
    /// Lines for `ip -batch`.
    Status ip(const QByteArray& lines) const;
    /// A script for `nft -f`.
    Status nft(const QByteArray& script) const;
    /// Sets "net.ipv4.ip_forward", say.
    Status set(const std::string& key, const std::string& value) const;
    /// Runs a program in this network to its end; its standard output. Io unless it ends with 0 in time.
    Result<QByteArray> run(const QString& program, const QStringList& arguments, const QByteArray& input = {},
                           std::chrono::milliseconds limit = std::chrono::seconds(30)) const;
    /// Starts one, which is killed with this process if not before. Io if it does not start.
    Result<std::unique_ptr<QProcess>> start(const QString& program, const QStringList& arguments) const;
    /// A process that is about to be started will run here, and be killed with this one.
    void prepare(QProcess& process) const;
    /// Runs `what` in a thread that is in this network. Sockets that it opens stay there.
    Status inside(const std::function<Status()>& what) const;
    /// What `ip` takes for this network's name.
    QByteArray path() const;

private:
    Network(std::string name, int descriptor);
    std::string m_name;
    int m_descriptor;
};

/// Two interfaces joined by a cable: `here` in one network, `there` in another. Both are down.
Status connect(const Network& one, const QByteArray& here, const Network& other, const QByteArray& there);

} // namespace starling::lab
