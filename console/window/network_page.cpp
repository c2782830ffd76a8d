// SPDX-License-Identifier: Apache-2.0
#include "network_page.h"

#include "control/client.h"
#include "error_card.h"
#include "model/network_text.h"
#include "network_check.h"
#include "rows_table.h"
#include "words.h"

#include <QDateTime>
#include <QLocale>
#include <QTabBar>
#include <QTabWidget>

#include <algorithm>
#include <map>

namespace starling::window {

using namespace std::chrono_literals;

namespace {

constexpr auto kEvery = 2s; ///< guess: round trips and ages change, links seldom do
constexpr auto kReach = 1s, kPatience = 5s; ///< guess: a local agent answers in milliseconds
/// Guess: what somebody scrolls through. A rendezvous may have many more sessions.
constexpr std::size_t kMaxRows = 1'000;
enum LinkColumn { With, Kind, Address, RoundTrip, Age, Payload, WhyNot };
constexpr qsizetype kLongText = 600; ///< of what agents say in sentences

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

QLabel* sentence(const char* style = nullptr)
{
    QLabel* const made = label({}, style);
    made->setWordWrap(true);
    made->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return made;
}

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

QString shown(const QString& text)
{
    return plain(text.toStdString(), kLongText);
}

QString ageOf(std::uint64_t seconds)
{
    return spanOf(std::chrono::seconds(seconds));
}

QString roundTripOf(const control::PeerLine& peer)
{
    if (peer.roundTripMicros == 0)
        return NetworkPage::tr("not measured");
    constexpr double kMilli = 1'000;
    const double milliseconds = static_cast<double>(peer.roundTripMicros) / kMilli;
    return NetworkPage::tr("%1 ms").arg(QLocale().toString(milliseconds, 'f', milliseconds < 10 ? 1 : 0));
}

/// "3 links: 2 direct, 1 relayed", and what they have carried in all.
QString summaryOf(const control::PeersReply& reply)
{
    if (reply.peers.empty())
        return NetworkPage::tr("No link is up. An agent looks for others by itself; if it finds none, the "
                               "check above tells what is in the way.");
    std::map<QString, int> kinds;
    for (const control::PeerLine& peer : reply.peers)
        ++kinds[console::linkWord(peer.kind)];
    QStringList parts;
    for (const auto& [kind, count] : kinds)
        parts += NetworkPage::tr("%1 %2").arg(count).arg(shown(kind));
    QString text = reply.peers.size() == 1
        ? NetworkPage::tr("One link, %1.").arg(shown(kinds.begin()->first))
        : NetworkPage::tr("%1 links: %2.").arg(number(reply.peers.size()), parts.join(QStringLiteral(", ")));
    if (!reply.payload.empty())
        text += QLatin1Char(' ')
            + NetworkPage::tr("Payload in all: %1.").arg(shown(console::payloadText(reply.payload)));
    if (reply.portMapping.kind != nat::PortMapState::Kind::Off)
        text += QLatin1Char(' ')
            + NetworkPage::tr("Port mapping: %1.").arg(shown(console::portMappingText(reply.portMapping)));
    return text;
}

QByteArray keyOf(const NodeId& node)
{
    return QByteArray::fromStdString(node.hex());
}

QString hintOf(const NodeId& node)
{
    return NetworkPage::tr("Its id: %1").arg(plain(node.hex()));
}

/// By name, and those of one name always in the same order.
void sortRows(std::vector<TextRow>& rows)
{
    std::sort(rows.begin(), rows.end(), [](const TextRow& one, const TextRow& other) {
        const int order = QString::localeAwareCompare(one.cells[0], other.cells[0]);
        return order != 0 ? order < 0 : one.key < other.key;
    });
    rows.resize(std::min(rows.size(), kMaxRows));
}

QString shownOf(std::size_t rows)
{
    return rows > kMaxRows ? NetworkPage::tr("The first %1 by name are shown.").arg(number(kMaxRows))
                           : QString();
}

} // namespace

NetworkPage::NetworkPage(const QString& socket)
{
    QVBoxLayout* const layout = column(this, 24, 12);
    layout->addWidget(m_demo = sentence());
    setText(m_demo,
            tr("A demo has no network of its own: its devices are linked inside this window, by a model of "
               "delays and losses. Leave the demo to see how a real agent is linked, and to check its "
               "network."));
    layout->addWidget(m_check = new NetworkCheck);
    layout->addWidget(m_error = new ErrorCard);
    m_tabs = named(new QTabWidget, tr("Links, findings, sessions"));
    m_tabs->tabBar()->setAccessibleName(tr("What is told of the network"));
    m_tabs->addTab(makeLinks(), tr("Links"));
    m_tabs->addTab(makeFacts(), tr("What the check found"));
    m_tabs->addTab(makeSessions(), tr("Linked to this rendezvous"));
    layout->addWidget(m_tabs, 1);
    layout->addStretch(); // of a demo, which has but a sentence
    m_timer.setInterval(kEvery);
    connect(&m_timer, &QTimer::timeout, this, &NetworkPage::ask);
    connect(m_check, &NetworkCheck::checked, this, &NetworkPage::showFacts);
    setAgent(socket);
}

QWidget* NetworkPage::makeLinks()
{
    auto* const part = named(new QWidget, tr("Links of the agent"));
    QVBoxLayout* const layout = column(part, 12, 8);
    auto* const row = new QHBoxLayout;
    row->addWidget(m_linksSaid = sentence(), 1);
    row->addWidget(m_linksAge = label({}, "muted"), 0, Qt::AlignTop);
    layout->addLayout(row);
    m_links = new RowsTable(tr("Links of the agent, by name"),
                            {tr("With"), tr("Link"), tr("Address"), tr("Round trip"), tr("Up for"),
                             tr("Payload since the start"), tr("Why not better")});
    layout->addWidget(m_links, 1);
    layout->addWidget(m_chosen = sentence());
    m_chosen->hide();
    connect(m_links->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &NetworkPage::showChosen);
    layout->addStretch();
    return part;
}

QWidget* NetworkPage::makeFacts()
{
    auto* const part = named(new QWidget, tr("What the check found"));
    QVBoxLayout* const layout = column(part, 12, 8);
    layout->addWidget(m_factsSaid = sentence("muted"));
    layout->addWidget(
        m_facts = new RowsTable(tr("What the check found, one by one"), {tr("What"), tr("Found")}), 1);
    layout->addStretch();
    return part;
}

QWidget* NetworkPage::makeSessions()
{
    auto* const part = named(new QWidget, tr("Linked to this rendezvous"));
    QVBoxLayout* const layout = column(part, 12, 8);
    layout->addWidget(m_sessionsSaid = sentence());
    m_sessions = new RowsTable(
        tr("Devices that are linked to this rendezvous, by name"),
        {tr("Device"), tr("Seen at"), tr("Its NAT"), tr("Linked for"), tr("Its own addresses")});
    layout->addWidget(m_sessions, 1);
    layout->addStretch();
    return part;
}

void NetworkPage::setAgent(const QString& socket)
{
    m_socket = socket;
    ++m_turn;
    m_asking.cancel();
    m_picture.reset();
    m_check->setAgent(socket);
    forget();
    m_demo->setVisible(socket.isEmpty());
    m_check->setVisible(!socket.isEmpty());
    m_tabs->setVisible(!socket.isEmpty());
}

void NetworkPage::forget()
{
    m_toldAt = 0;
    m_error->hide();
    for (RowsTable* const table : {m_links, m_facts, m_sessions}) {
        table->setRows({});
        table->hide();
    }
    setText(m_linksSaid, tr("The agent has not told of its links yet."));
    setText(m_factsSaid, tr("Nothing yet: press “Check the network” above."));
    setText(m_sessionsSaid, tr("The agent has not told whether it is a rendezvous yet."));
    showAge();
}

void NetworkPage::setTheme(const Theme& theme)
{
    Page::setTheme(theme);
    m_check->setTheme(theme);
}

void NetworkPage::show(const SnapshotPtr& snapshot)
{
    m_picture = snapshot->picture;
}

void NetworkPage::check()
{
    m_check->begin();
}

void NetworkPage::showEvent(QShowEvent* event)
{
    Page::showEvent(event);
    ask();
    m_timer.start();
}

void NetworkPage::hideEvent(QHideEvent* event)
{
    m_timer.stop();
    Page::hideEvent(event);
}

void NetworkPage::ask()
{
    showAge();
    if (m_socket.isEmpty() || m_asking.isRunning())
        return;
    m_asking.start<Told>(
        [socket = m_socket](Job::Ticket& ticket) -> Result<Told> {
            auto agent = control::Client::connect(socket, kReach);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            agent->interruptBy([&ticket] { return ticket.isCancelled(); });
            auto peers = agent->ask<control::PeersReply>(control::PeersRequest{}, kPatience);
            if (!peers)
                return tl::unexpected<Error>(peers.error());
            auto sessions = agent->ask<control::SessionsReply>(control::SessionsRequest{}, kPatience);
            if (!sessions)
                return tl::unexpected<Error>(sessions.error());
            return Told{std::move(*peers), std::move(*sessions)};
        },
        [this, turn = m_turn](Result<Told> told) {
            if (turn == m_turn)
                take(std::move(told));
        });
}

void NetworkPage::take(Result<Told> told)
{
    if (told) {
        m_error->hide();
        showLinks(told->peers);
        showSessions(told->sessions);
        return;
    }
    // That nobody answers stands above every screen; what was told stays, with its age.
    const Errc code = told.error().code;
    m_error->setVisible(false);
    if (code != Errc::Unreachable && code != Errc::Cancelled)
        m_error->tell(tr("The agent did not tell of its links."), told.error());
    showAge();
}

QString NetworkPage::nameOf(const NodeId& node) const
{
    const fleetview::Device* const device = m_picture ? m_picture->find(node) : nullptr;
    return device != nullptr && !device->name.empty() ? plain(device->name, 64) : plain(node.shortHex());
}

void NetworkPage::showCheck(const control::NetCheckReply& reply)
{
    m_check->show(reply);
}

void NetworkPage::showFacts(const control::NetCheckReply& reply)
{
    std::vector<TextRow> rows;
    for (const console::NetworkFact& fact : console::factsOf(reply))
        rows.push_back({fact.name.toUtf8(), {fact.name, shown(fact.value)}});
    m_facts->setRows(std::move(rows));
    m_facts->show();
    setText(m_factsSaid,
            tr("In the words of RFC 4787: mapping says which destinations see the same address, filtering "
               "from where answers are let in."));
}

void NetworkPage::showLinks(const control::PeersReply& reply)
{
    m_toldAt = QDateTime::currentMSecsSinceEpoch();
    std::vector<TextRow> rows;
    for (const control::PeerLine& peer : reply.peers) {
        QString address;
        if (peer.endpoint != Endpoint())
            address = plain(toString(peer.endpoint));
        else if (!peer.relay.isZero())
            address = tr("by %1").arg(nameOf(peer.relay));
        rows.push_back({keyOf(peer.node),
                        {nameOf(peer.node), shown(console::linkWord(peer.kind)), address, roundTripOf(peer),
                         ageOf(peer.ageSeconds), shown(console::payloadText(peer.payload)),
                         plain(peer.whyNotBetter, kLongText)},
                        hintOf(peer.node)});
    }
    sortRows(rows);
    m_links->setRows(std::move(rows));
    m_links->setVisible(!reply.peers.empty());
    showChosen();
    QStringList said{summaryOf(reply)};
    if (const QString some = shownOf(reply.peers.size()); !some.isEmpty())
        said += some;
    setText(m_linksSaid, said.join(QLatin1Char(' ')));
    showAge();
}

/// What is too long for a line of the table, of the link that is chosen.
void NetworkPage::showChosen()
{
    const QString who = m_links->currentText(With), why = m_links->currentText(WhyNot),
                  payload = m_links->currentText(Payload);
    QStringList said;
    if (!who.isEmpty())
        said += why.isEmpty() ? tr("%1: nothing would be better.").arg(who)
                              : tr("%1, why not better: %2.").arg(who, why);
    if (!payload.isEmpty())
        said += tr("Payload since the start: %1.").arg(payload);
    setText(m_chosen, said.join(QLatin1Char(' ')));
    m_chosen->setVisible(!said.isEmpty());
}

void NetworkPage::showSessions(const control::SessionsReply& reply)
{
    std::vector<TextRow> rows;
    for (const control::SessionLine& session : reply.sessions)
        rows.push_back({keyOf(session.node),
                        {nameOf(session.node),
                         session.external == Endpoint() ? console::linkWord("relayed")
                                                        : plain(toString(session.external)),
                         console::mappingWord(session.mapping), ageOf(session.ageSeconds),
                         shown(console::endpointsText(session.internal))},
                        hintOf(session.node)});
    sortRows(rows);
    m_sessions->setRows(std::move(rows));
    m_sessions->setVisible(!reply.sessions.empty());
    QString said = console::noSessionsText(reply);
    if (!reply.isRendezvous)
        said += QLatin1Char(' ')
            + tr("A rendezvous is an agent with a public address at which new devices begin; one or two "
                 "suffice for a fleet.");
    else if (!reply.sessions.empty())
        said = tr("Devices that are linked to it now: %1. %2")
                   .arg(number(reply.sessions.size()), shownOf(reply.sessions.size()))
                   .trimmed();
    setText(m_sessionsSaid, said);
}

void NetworkPage::showAge()
{
    const qint64 age = QDateTime::currentMSecsSinceEpoch() - m_toldAt;
    setText(m_linksAge,
            m_toldAt == 0 ? QString()
                          : tr("%1 old").arg(spanOf(std::chrono::seconds(std::max<qint64>(0, age) / 1'000))));
}

} // namespace starling::window
