// SPDX-License-Identifier: Apache-2.0
#include "network_check.h"

#include "control/client.h"
#include "error_card.h"
#include "model/network_text.h"
#include "page.h"
#include "words.h"

#include <QDateTime>
#include <QProgressBar>
#include <QPushButton>

namespace starling::window {

using fleetview::Standing;
using namespace std::chrono_literals;

namespace {

constexpr int kGlyph = 40;
constexpr int kLongest = 20; ///< s: discovery's three steps where nobody answers (nat/discovery.h)
constexpr auto kCheckLimit = 40s; ///< as starling net check
constexpr auto kReach = 2s; ///< guess: a local agent answers in milliseconds
constexpr auto kTick = 500ms; ///< guess: seconds that are counted are seen to go on

/// The shape that a verdict has: good, to be looked at, or bad.
Standing standingOf(const control::NetCheckReply& reply)
{
    switch (nat::prospectOf(reply.behaviour)) {
    case nat::Prospect::Open:
    case nat::Prospect::Reachable:
    case nat::Prospect::Punched:
    case nat::Prospect::Firewalled:
        return Standing::Healthy;
    case nat::Prospect::Predicted:
    case nat::Prospect::Relayed:
    case nat::Prospect::Undecided:
        return Standing::Stalled;
    case nat::Prospect::Blocked:
        return console::isUdpBlocked(reply) ? Standing::Stalled : Standing::Failed;
    }
    return Standing::Unknown;
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

} // namespace

NetworkCheck::NetworkCheck(QWidget* parent)
    : QFrame(parent)
{
    named(this, tr("How others reach this agent"), "card");
    QVBoxLayout* const layout = column(this, 16, 8);
    auto* const row = new QHBoxLayout;
    row->setSpacing(16);
    m_glyph = named(new QLabel, tr("How well others reach this agent"));
    m_glyph->setFixedSize(kGlyph, kGlyph);
    row->addWidget(m_glyph, 0, Qt::AlignTop);
    row->addLayout(makeWords(), 1);
    m_check =
        named(new QPushButton(tr("Check the network")), tr("Check how others reach this agent"), "primary");
    m_stop = named(new QPushButton(tr("Cancel")), tr("Stop waiting for the check"));
    m_stop->hide();
    row->addWidget(m_check, 0, Qt::AlignTop);
    row->addWidget(m_stop, 0, Qt::AlignTop);
    layout->addLayout(row);
    layout->addWidget(m_progress = named(new QProgressBar, tr("How long the check has taken")));
    m_progress->setRange(0, kLongest);
    m_progress->hide();
    layout->addWidget(m_error = new ErrorCard);
    connect(m_check, &QPushButton::clicked, this, &NetworkCheck::begin);
    connect(m_stop, &QPushButton::clicked, this, &NetworkCheck::stop);
    connect(&m_tick, &QTimer::timeout, this, &NetworkCheck::refresh);
    setAgent({});
}

QLayout* NetworkCheck::makeWords()
{
    auto* const words = new QVBoxLayout;
    words->setSpacing(3);
    words->addWidget(m_verdict = label({}, "verdict"));
    words->addWidget(m_meaning = label({}));
    words->addWidget(m_advice = label({}));
    words->addWidget(m_age = label({}, "muted"));
    for (QLabel* const text : {m_verdict, m_meaning, m_advice, m_age}) {
        text->setWordWrap(true);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    return words;
}

void NetworkCheck::setAgent(const QString& socket)
{
    m_socket = socket;
    ++m_turn;
    m_asking.cancel();
    m_found.reset();
    m_checkedAt = 0;
    m_remark.clear();
    setText(m_verdict, tr("Not checked yet"));
    setText(m_meaning,
            tr("The check asks other agents and STUN servers at which address they see this agent, and what "
               "the NAT or firewall around it lets through."));
    m_advice->hide();
    m_error->hide();
    showGlyph();
    refresh();
}

void NetworkCheck::showEvent(QShowEvent* event)
{
    QFrame::showEvent(event);
    refresh();
    m_tick.start(kTick);
}

void NetworkCheck::hideEvent(QHideEvent* event)
{
    m_tick.stop();
    QFrame::hideEvent(event);
}

void NetworkCheck::refresh()
{
    showWaiting();
    showAge();
}

void NetworkCheck::setTheme(const Theme& theme)
{
    m_theme = theme;
    showGlyph();
}

void NetworkCheck::showGlyph()
{
    m_glyph->setPixmap(m_theme.glyph(m_found.value_or(Standing::Unknown), kGlyph, devicePixelRatioF()));
}

void NetworkCheck::begin()
{
    if (m_asking.isRunning() || m_socket.isEmpty())
        return;
    m_error->hide();
    m_remark.clear();
    m_waiting.start();
    m_asking.start<control::NetCheckReply>(
        [socket = m_socket](Job::Ticket& ticket) -> Result<control::NetCheckReply> {
            auto agent = control::Client::connect(socket, kReach);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            agent->interruptBy([&ticket] { return ticket.isCancelled(); });
            return agent->ask<control::NetCheckReply>(control::NetCheckRequest{}, kCheckLimit);
        },
        [this, turn = m_turn](Result<control::NetCheckReply> reply) {
            if (turn == m_turn)
                finish(std::move(reply));
            refresh();
        });
    const bool hadFocus = m_check->hasFocus();
    refresh();
    if (hadFocus)
        m_stop->setFocus();
}

void NetworkCheck::stop()
{
    m_asking.cancel(); // heard within a tenth of a second
}

void NetworkCheck::finish(Result<control::NetCheckReply> reply)
{
    if (reply)
        return show(*reply);
    if (reply.error().code == Errc::Cancelled)
        m_remark = tr("Stopped: the agent ends its check by itself.");
    else
        m_error->tell(tr("The network was not checked."), reply.error());
}

void NetworkCheck::show(const control::NetCheckReply& reply)
{
    const console::NetworkVerdict verdict = console::verdictOn(reply);
    setText(m_verdict, tr("Network: %1").arg(verdict.word));
    setText(m_meaning, verdict.meaning);
    setText(m_advice, tr("What to do: %1").arg(verdict.advice));
    m_advice->setVisible(!verdict.advice.isEmpty());
    m_found = standingOf(reply);
    m_checkedAt = QDateTime::currentMSecsSinceEpoch();
    m_error->hide();
    m_remark.clear();
    showGlyph();
    showAge();
    Q_EMIT checked(reply);
}

/// One button at a time, and the focus goes along.
void NetworkCheck::showWaiting()
{
    const bool isWaiting = m_asking.isRunning();
    const bool hadFocus = m_stop->hasFocus();
    m_progress->setVisible(isWaiting);
    m_stop->setVisible(isWaiting);
    m_check->setVisible(!isWaiting);
    m_check->setEnabled(!m_socket.isEmpty());
    if (!isWaiting) {
        if (hadFocus)
            m_check->setFocus();
        return;
    }
    const int seconds = static_cast<int>(m_waiting.elapsed() / 1'000);
    m_progress->setValue(std::min(seconds, kLongest));
    m_progress->setFormat(
        seconds > kLongest ? tr("it takes longer than usual: %1 s").arg(seconds)
                           : tr("%1 s; it takes up to %2 s where nobody answers").arg(seconds).arg(kLongest));
}

void NetworkCheck::showAge()
{
    QStringList parts;
    if (!m_remark.isEmpty())
        parts += m_remark;
    if (m_checkedAt != 0) {
        const qint64 age = std::max<qint64>(0, QDateTime::currentMSecsSinceEpoch() - m_checkedAt);
        parts += tr("Checked %1 ago.").arg(spanOf(std::chrono::seconds(age / 1'000)));
    }
    setText(m_age, parts.join(QLatin1Char(' ')));
    m_age->setVisible(!parts.isEmpty());
}

} // namespace starling::window
