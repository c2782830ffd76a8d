// SPDX-License-Identifier: Apache-2.0
#include "node/upnp_client.h"

#include "node/net_address.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <array>
#include <csignal>
#include <mutex>
#include <thread>

namespace starling::node {

namespace {

/// How long devices have to answer the search: UPnP Device Architecture 2.0 section 1.3.2 lets them take what
/// the search says, which the library sets from this.
constexpr int kSearchMs = 2'000;
constexpr unsigned char kHops = 2; // the same, section 1.3.2: SHOULD default to 2
constexpr const char* kName = "starling"; // what routers show
// UPnP WANIPConnection:1 section 2.4.16.
constexpr int kConflict = 718, kSamePortOnly = 724, kForGoodOnly = 725;

struct FreeDevices
{
    void operator()(UPNPDev* devices) const { freeUPNPDevlist(devices); }
};

/// The service that maps ports, as a description tells of it.
class Service
{
public:
    explicit Service(const std::string& description)
        : m_description(description)
    {
        std::array<char, 64> ownAddress{};
        m_isKnown = UPNP_GetIGDFromUrl(description.c_str(), &m_urls, &m_data, ownAddress.data(),
                                       static_cast<int>(ownAddress.size()))
            == 1;
    }
    ~Service()
    {
        if (m_isKnown)
            FreeUPNPUrls(&m_urls);
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// On to the second service of a router that has two: one of them is connected.
    bool next()
    {
        if (!m_isKnown || std::exchange(m_isSecond, true))
            return false;
        m_data.first = m_data.second;
        FreeUPNPUrls(&m_urls);
        m_urls = {};
        GetUPNPUrls(&m_urls, &m_data, m_description.c_str(), 0);
        return true;
    }
    /// Whether it is one that maps ports, at `host`.
    bool isUsable(const std::string& host) const
    {
        const std::string type = m_isKnown ? m_data.first.servicetype : "";
        return (type.find(":service:WANIPConnection:") != type.npos
                || type.find(":service:WANPPPConnection:") != type.npos)
            && m_urls.controlURL != nullptr && std::string(m_urls.controlURL).starts_with(host);
    }
    bool isKnown() const { return m_isKnown; }
    const char* control() const { return m_urls.controlURL; }
    const char* type() const { return m_data.first.servicetype; }

private:
    std::string m_description;
    UPNPUrls m_urls{};
    IGDdatas m_data{};
    bool m_isKnown = false, m_isSecond = false;
};

std::string hostOf(const Endpoint& endpoint)
{
    return toQt(endpoint).toString().toStdString();
}

std::string describe(int result)
{
    const char* text = strupnperror(result);
    return text != nullptr ? text : "error " + std::to_string(result);
}

/// Negative: nothing that makes sense came back.
Error errorOf(int result, const std::string& what)
{
    return {result > 0 ? Errc::Refused : Errc::Unreachable, what + ": " + describe(result)};
}

int addMapping(const Service& service, const nat::AskUpnp& question, std::uint16_t outside,
               const char* protocol, std::chrono::seconds lease)
{
    return UPNP_AddPortMapping(service.control(), service.type(), std::to_string(outside).c_str(),
                               std::to_string(question.own.port).c_str(), hostOf(question.own).c_str(), kName,
                               protocol, nullptr, std::to_string(lease.count()).c_str());
}

Result<nat::PortMapping> map(const Service& service, const nat::AskUpnp& question)
{
    std::array<char, 64> address{};
    if (const int result = UPNP_GetExternalIPAddress(service.control(), service.type(), address.data());
        result != UPNPCOMMAND_SUCCESS)
        return tl::unexpected<Error>(errorOf(result, "its address"));
    const QHostAddress outside(QString::fromLatin1(address.data()));
    if (outside.protocol() != QAbstractSocket::IPv4Protocol)
        return fail(Errc::Malformed, "it tells no address");
    nat::PortMapping mapping{nat::PortMapMethod::Upnp, fromQt(outside, 0), false, question.lease};
    int result = kConflict;
    for (const std::uint16_t port : question.outside) {
        result = addMapping(service, question, port, "UDP", question.lease);
        if (result == kForGoodOnly) {
            mapping.lease = Duration(0);
            result = addMapping(service, question, port, "UDP", std::chrono::seconds(0));
        }
        mapping.external.port = port;
        if (result != kConflict)
            break;
    }
    if (result == kSamePortOnly) {
        mapping.external.port = question.own.port;
        result = addMapping(service, question, question.own.port, "UDP", question.lease);
    }
    if (result != UPNPCOMMAND_SUCCESS)
        return tl::unexpected<Error>(errorOf(result, "a mapping"));
    const auto lease = std::chrono::duration_cast<std::chrono::seconds>(mapping.lease);
    mapping.hasTcp =
        addMapping(service, question, mapping.external.port, "TCP", lease) == UPNPCOMMAND_SUCCESS;
    return mapping;
}

Result<nat::PortMapping> unmap(const Service& service, const nat::AskUpnp& question)
{
    for (const std::uint16_t port : question.outside)
        for (const char* protocol : {"UDP", "TCP"}) {
            const int result = UPNP_DeletePortMapping(service.control(), service.type(),
                                                      std::to_string(port).c_str(), protocol, nullptr);
            if (result != UPNPCOMMAND_SUCCESS && protocol[0] == 'U')
                return tl::unexpected<Error>(errorOf(result, "deletion"));
        }
    return nat::PortMapping{nat::PortMapMethod::Upnp, {}, false, {}};
}

} // namespace

Result<nat::PortMapping> askByUpnp(const nat::AskUpnp& question, const std::string& description)
{
    const std::string url = "http://" + hostOf(question.gateway);
    const auto isAtGateway = [&](const std::string& text) {
        return text.starts_with(url + ":") || text.starts_with(url + "/");
    };
    if (!isAtGateway(description))
        return fail(Errc::NotFound, "no service at the default gateway");
    Service service(description);
    if (!service.isKnown())
        return fail(Errc::Unreachable, "the router's description is not to be had");
    Result<nat::PortMapping> result = fail(Errc::NotFound, "the router offers no service that maps ports");
    do {
        if (!service.isUsable(url + ":") && !service.isUsable(url + "/"))
            continue;
        result = question.what == nat::AskUpnp::What::Map ? map(service, question) : unmap(service, question);
    } while (!result && service.next());
    return result;
}

Result<UpnpClient::Found> askByUpnp(const nat::AskUpnp& question)
{
    int error = UPNPDISCOVER_SUCCESS;
    const std::unique_ptr<UPNPDev, FreeDevices> devices(upnpDiscover(
        kSearchMs, hostOf(question.own).c_str(), nullptr, UPNP_LOCAL_PORT_ANY, 0, kHops, &error));
    Error why{Errc::NotFound, "no router answered"};
    for (const UPNPDev* device = devices.get(); device != nullptr; device = device->pNext) {
        if (device->descURL == nullptr)
            continue;
        auto mapping = askByUpnp(question, device->descURL);
        if (mapping)
            return UpnpClient::Found{*mapping, device->descURL};
        why = std::move(mapping.error());
        if (why.code != Errc::NotFound)
            break;
    }
    return tl::unexpected<Error>(std::move(why));
}

struct UpnpClient::Shared
{
    std::mutex mutex;
    UpnpClient* client = nullptr; ///< while it is there
};

UpnpClient::UpnpClient(QObject* parent)
    : QObject(parent)
    , m_shared(std::make_shared<Shared>())
{
    m_shared->client = this;
}

UpnpClient::~UpnpClient()
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->client = nullptr;
}

void UpnpClient::ask(const nat::AskUpnp& question, Answer answer)
{
    if (m_answer)
        return answer(fail(Errc::Busy, "the router has not answered an earlier question yet"));
    m_answer = std::move(answer);
    std::thread([shared = m_shared, question, known = m_description] {
        // Signals are the main thread's; and the library writes to connections that may be closed.
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        auto result = std::make_shared<Result<Found>>(fail(Errc::NotFound, "not looked for"));
        if (const auto again = known.empty() ? Result<nat::PortMapping>(fail(Errc::NotFound, {}))
                                             : askByUpnp(question, known);
            again)
            *result = Found{*again, known};
        else if (known.empty() || question.what == nat::AskUpnp::What::Map)
            *result = askByUpnp(question);
        const std::lock_guard lock(shared->mutex);
        if (UpnpClient* client = shared->client)
            QMetaObject::invokeMethod(
                client, [client, result] { client->conclude(*result); }, Qt::QueuedConnection);
    }).detach();
}

void UpnpClient::conclude(const Result<Found>& result)
{
    const Answer answer = std::exchange(m_answer, {});
    m_description = result ? result->description : std::string();
    if (result)
        answer(result->mapping);
    else
        answer(tl::unexpected<Error>(result.error()));
}

} // namespace starling::node
