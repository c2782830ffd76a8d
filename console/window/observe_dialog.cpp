// SPDX-License-Identifier: Apache-2.0
#include "observe_dialog.h"

#include "admin/audit_log.h"
#include "admin/founding.h"
#include "admin/observing.h"
#include "aside.h"
#include "page.h"
#include "words.h"

#include <QCompleter>
#include <QFormLayout>
#include <QLineEdit>
#include <QLocale>
#include <QSpinBox>

namespace starling::window {

namespace {

constexpr std::chrono::seconds kPatience(30); ///< as the command line's
constexpr int kMostSums = 100'000'000; ///< guess: above any fleet

QLabel* sentence(const QString& text, const char* style = nullptr)
{
    QLabel* const made = label(text, style);
    made->setWordWrap(true);
    return made;
}

} // namespace

ObserveDialog::ObserveDialog(const SnapshotPtr& snapshot, const QString& directory, const QString& socket,
                             QWidget* parent)
    : SigningDialog(tr("Collect receipts"), tr("Sign"), tr("Sign and spread who collects receipts"), socket,
                    parent)
    , m_snapshot(snapshot)
{
    content()->addWidget(sentence(
        tr("Devices sign receipts of what they do, and send them to the agents that observe the "
           "fleet. An agent that does not observe knows itself alone. A key of the fleet's observe "
           "role entitles one; what was signed last for an agent counts, also if it ends earlier.")));
    content()->addWidget(makeForm());
    content()->addWidget(m_who = sentence({}, "muted"));
    connect(m_observer, &QLineEdit::textChanged, this, &ObserveDialog::showWho);
    connect(m_scope, &QLineEdit::textChanged, this, &ObserveDialog::showWho);
    offerObserveKeys(directory);
    showWho();
}

QWidget* ObserveDialog::makeForm()
{
    auto* const form = named(new QWidget, tr("Who collects, and what"));
    auto* const rows = new QFormLayout(form);
    rows->setContentsMargins(0, 0, 0, 0);
    const auto add = [rows](const QString& name, QWidget* field) {
        named(field, name);
        rows->addRow(label(name), field);
    };
    add(tr("Observer, by name or id"), m_observer = new QLineEdit);
    m_observer->setPlaceholderText(tr("empty: the agent that this window asks"));
    m_observer->setMaxLength(200);
    if (m_snapshot && m_snapshot->picture->devices.size() <= Aside::kFew) {
        QStringList names;
        for (const fleetview::DevicePtr& device : m_snapshot->picture->devices)
            names += plain(device->name, 64);
        names.sort();
        auto* const completer = new QCompleter(names, m_observer);
        completer->setCaseSensitivity(Qt::CaseInsensitive);
        m_observer->setCompleter(completer);
    }
    add(tr("For so long"), m_days = new QSpinBox);
    m_days->setRange(1, static_cast<int>(console::kMaxObserverDays));
    m_days->setValue(static_cast<int>(console::kObserverDays));
    m_days->setSuffix(tr(" days"));
    add(tr("Only resources below"), m_scope = new QLineEdit);
    m_scope->setPlaceholderText(tr("as in: fw/gateway; empty: all"));
    m_scope->setMaxLength(200);
    add(tr("Told in sums above"), m_sums = new QSpinBox);
    m_sums->setRange(0, kMostSums);
    m_sums->setValue(static_cast<int>(console::kSumsAbove));
    m_sums->setSpecialValueText(tr("never in sums"));
    m_sums->setSuffix(tr(" devices"));
    m_sums->setToolTip(tr("Of a larger fleet devices are counted on the way, and send receipts when asked"));
    for (QSpinBox* const box : {m_days, m_sums})
        box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    return form;
}

QString ObserveDialog::nameOf(const NodeId& node) const
{
    const fleetview::Device* const device = m_snapshot ? m_snapshot->picture->find(node) : nullptr;
    const QString id = plain(node.shortHex());
    return device != nullptr && !device->name.empty() ? tr("%1 (%2)").arg(plain(device->name, 64), id) : id;
}

Result<std::optional<NodeId>> ObserveDialog::observer() const
{
    const QString typed = m_observer->text().trimmed();
    if (typed.isEmpty())
        return std::optional<NodeId>();
    if (const auto node = NodeId::fromHex(typed.toLower().toStdString()))
        return std::optional(*node);
    std::optional<NodeId> found;
    for (std::size_t i = 0; m_snapshot && i < m_snapshot->picture->devices.size(); ++i) {
        const fleetview::Device& device = *m_snapshot->picture->devices[i];
        if (plain(device.name, 64) != typed)
            continue;
        if (found)
            return fail(Errc::Usage, "several devices have this name");
        found = device.node;
    }
    if (!found)
        return fail(Errc::NotFound, "no device has this name");
    return found;
}

void ObserveDialog::showWho()
{
    const auto who = observer();
    const QString scope = m_scope->text().trimmed();
    const bool isScope = scope.isEmpty() || ResourceUri::parse(scope.toStdString()).has_value();
    QString said;
    if (!who)
        said = who.error().code == Errc::Usage
            ? tr("Several devices have this name: give the id of the one that is meant.")
            : tr("No device of this name is known here. An id has 64 hexadecimal digits.");
    else if (!isScope)
        said = tr("“%1” is no prefix of resources: they are written as in fw/gateway.")
                   .arg(plain(scope.toStdString(), 64));
    else if (*who)
        said = tr("%1 will collect receipts.").arg(nameOf(**who));
    else if (m_snapshot)
        said =
            tr("The agent that this window asks will collect them: %1.").arg(nameOf(m_snapshot->status.node));
    else
        said = tr("The agent that this window asks will collect them.");
    m_who->setText(said);
    m_who->setAccessibleName(said);
    setReady(who.has_value() && isScope);
}

SigningDialog::Work ObserveDialog::work() const
{
    console::ObserverPlan plan;
    plan.observer = observer().value_or(std::nullopt);
    if (const auto scope = ResourceUri::parse(m_scope->text().trimmed().toStdString()))
        plan.scope = *scope;
    plan.days = static_cast<unsigned>(m_days->value());
    plan.sumsAbove = static_cast<std::uint64_t>(m_sums->value());
    return [plan](control::Client& agent, const crypto::SecretKey& key) -> Result<QString> {
        const auto done = console::nameObserver(agent, plan, key, kPatience);
        if (!done)
            return tl::unexpected<Error>(done.error());
        const NodeId& observer = done->subscription.observer;
        if (auto noted = console::AuditLog().record(console::Act::ObserverNamed, observer.hex(),
                                                    "key " + key.id().hex());
            !noted)
            return fail(std::move(noted.error()), "it is done, and not in the audit log");
        return plan.observer
            ? tr("%1 may collect receipts for %2 days. The agent has that, and spreads it now.")
                  .arg(plain(observer.shortHex()))
                  .arg(plan.days)
            : tr("This agent collects receipts for %1 days. Devices appear in every screen as "
                 "theirs come.")
                  .arg(plan.days);
    };
}

} // namespace starling::window
