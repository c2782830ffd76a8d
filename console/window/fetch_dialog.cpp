// SPDX-License-Identifier: Apache-2.0
#include "fetch_dialog.h"

#include "control/client.h"
#include "error_card.h"
#include "page.h"
#include "words.h"

#include <QComboBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSpinBox>

namespace starling::window {

namespace {

constexpr std::chrono::seconds kPatience(5); ///< guess: a local agent answers in milliseconds
constexpr int kUsualLimit = 256; ///< as starling device fetch

QString about(std::uint64_t devices)
{
    return QLocale().toString(static_cast<qulonglong>(fleetview::aboutSo(devices)));
}

} // namespace

FetchDialog::FetchDialog(const fleetview::Hints& hints, const QString& socket, QWidget* parent)
    : QDialog(parent)
    , m_hints(hints)
    , m_socket(socket)
    , m_releases(fleetview::hintedReleases(hints))
{
    setWindowTitle(tr("Ask for signed receipts"));
    setAccessibleName(windowTitle());
    QVBoxLayout* const layout = column(this, 20, 14);
    layout->addWidget(label(tr("Ask for signed receipts"), "title"));
    auto* const why =
        label(tr("The fleet is counted on the way, and devices keep their receipts until they are "
                 "asked. Those that answer appear in every screen, verified."));
    why->setWordWrap(true);
    layout->addWidget(why);
    layout->addWidget(makeForm());
    layout->addWidget(m_said = label({}));
    m_said->setWordWrap(true);
    layout->addWidget(m_error = new ErrorCard);
    m_error->hide();
    auto* const buttons = new QHBoxLayout;
    m_close = named(new QPushButton(tr("Cancel")), tr("Close without asking"));
    m_ask = named(new QPushButton(tr("Ask")), tr("Ask the devices"), "primary");
    m_ask->setDefault(true);
    buttons->addStretch();
    buttons->addWidget(m_close);
    buttons->addWidget(m_ask);
    layout->addLayout(buttons);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_ask, &QPushButton::clicked, this, &FetchDialog::send);
    for (const QComboBox* const box : {m_release, m_phase, m_site})
        connect(box, &QComboBox::currentIndexChanged, this, &FetchDialog::showExpected);
    connect(m_device, &QLineEdit::textChanged, this, &FetchDialog::showExpected);
    showExpected();
    setMinimumWidth(560);
}

FetchDialog::~FetchDialog() = default;

QWidget* FetchDialog::makeForm()
{
    auto* const form = named(new QWidget, tr("What is asked for"));
    auto* const rows = new QFormLayout(form);
    rows->setContentsMargins(0, 0, 0, 0);
    const auto add = [rows](const QString& name, QWidget* field) {
        named(field, name);
        rows->addRow(label(name), field);
    };
    add(tr("Release"), m_release = new QComboBox);
    add(tr("Phase"), m_phase = new QComboBox);
    add(tr("Site"), m_site = new QComboBox);
    add(tr("One device, by its id"), m_device = new QLineEdit);
    add(tr("How many may answer"), m_limit = new QSpinBox);
    m_device->setPlaceholderText(tr("64 hexadecimal digits; empty: any"));
    m_device->setMaxLength(64);
    m_limit->setRange(1, static_cast<int>(trust::ReceiptAsk::kMaxLimit));
    m_limit->setValue(kUsualLimit);
    offerReleases();
    offerPhases();
    offerSites();
    return form;
}

void FetchDialog::offerReleases()
{
    m_release->addItem(tr("Any"));
    for (const fleetview::HintedRelease& release : m_releases)
        m_release->addItem(releaseName(release.uri, release.revision));
}

/// Those that the sums tell of, troubles first: they are what one asks about.
void FetchDialog::offerPhases()
{
    std::set<trust::Phase> told;
    for (const fleetview::Hint& hint : m_hints.hints)
        told.insert(hint.phase);
    m_phases.assign(told.rbegin(), told.rend());
    std::stable_partition(m_phases.begin(), m_phases.end(), [](trust::Phase phase) {
        return phase == trust::Phase::Failed || phase == trust::Phase::RolledBack;
    });
    m_phase->addItem(tr("Any"));
    for (const trust::Phase phase : m_phases)
        m_phase->addItem(phaseWord(phase));
}

void FetchDialog::offerSites()
{
    std::set<std::string> sites;
    for (const fleetview::Hint& hint : m_hints.hints)
        if (hint.site)
            sites.insert(*hint.site);
    m_site->addItem(tr("Any"));
    for (const std::string& site : sites) {
        m_sites.append(QString::fromStdString(site));
        m_site->addItem(site.empty() ? tr("Without a site") : plain(site, 64));
    }
}

Result<trust::ReceiptAsk> FetchDialog::ask() const
{
    trust::ReceiptAsk ask{1, static_cast<std::uint32_t>(m_limit->value())};
    if (const int chosen = m_release->currentIndex(); chosen > 0) {
        ask.uri = m_releases[static_cast<std::size_t>(chosen - 1)].uri;
        ask.revision = m_releases[static_cast<std::size_t>(chosen - 1)].revision;
    }
    if (const int chosen = m_phase->currentIndex(); chosen > 0)
        ask.phase = m_phases[static_cast<std::size_t>(chosen - 1)];
    if (const int chosen = m_site->currentIndex(); chosen > 0)
        ask.site = m_sites[chosen - 1].toStdString();
    if (const QString device = m_device->text().trimmed(); !device.isEmpty()) {
        const auto node = NodeId::fromHex(device.toLower().toStdString());
        if (!node)
            return fail(Errc::Usage, "a device's id has 64 hexadecimal digits");
        ask.device = *node;
    }
    return ask;
}

void FetchDialog::showExpected()
{
    const auto wanted = ask();
    m_ask->setEnabled(wanted.has_value() && !m_sending.isRunning());
    QString text;
    if (!wanted)
        text = tr("That is no device's id: it has 64 hexadecimal digits.");
    else if (wanted->device)
        text = tr("One device is asked. It answers also if it was heard since it changed.");
    else
        text = tr("By the sums, which nobody has verified, about %1 devices are meant.")
                   .arg(about(fleetview::hintedDevices(m_hints, *wanted)));
    m_said->setText(text);
    m_said->setAccessibleName(text);
}

void FetchDialog::send()
{
    auto wanted = ask();
    if (!wanted || m_sending.isRunning())
        return;
    m_error->hide();
    m_ask->setEnabled(false);
    m_sending.start<control::FetchReply>(
        [ask = std::move(*wanted), socket = m_socket](Job::Ticket&) -> Result<control::FetchReply> {
            auto agent = control::Client::connect(socket, kPatience);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            return agent->ask<control::FetchReply>(control::FetchRequest{ask}, kPatience);
        },
        [this](Result<control::FetchReply> reply) {
            m_ask->setEnabled(true);
            if (!reply) {
                m_error->tell(tr("No device was asked."), reply.error());
                return m_error->show();
            }
            m_said->setText(tr("Asked. Devices answer within seconds; those that were offline, if they are "
                               "back within %1. Whoever was heard and did not change since does not answer "
                               "again, so the same question brings others.")
                                .arg(spanOf(std::chrono::seconds(reply->validSeconds))));
            m_said->setAccessibleName(m_said->text());
            m_close->setText(tr("Close"));
            m_close->setAccessibleName(tr("Close"));
        });
}

} // namespace starling::window
