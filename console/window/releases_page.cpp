// SPDX-License-Identifier: Apache-2.0
#include "releases_page.h"

#include "base/size.h"
#include "words.h"

#include <QDateTime>
#include <QHeaderView>
#include <QLocale>
#include <QPushButton>
#include <QTableView>

namespace starling::window {

using fleetview::Release;
using fleetview::Standing;

namespace {

std::size_t underWay(const Release& release)
{
    return release.count(Standing::Waiting) + release.count(Standing::Downloading)
        + release.count(Standing::Installing);
}

std::size_t trouble(const Release& release)
{
    return release.count(Standing::Failed) + release.count(Standing::RolledBack);
}

bool isSame(const Release& a, const Release& b)
{
    return a.uri == b.uri && a.revision == b.revision && a.infoHash == b.infoHash;
}

bool isWithdrawn(const Release& release)
{
    return release.known && release.known->isWithdrawn;
}

QString text(const Release& release, int column)
{
    const auto number = [](std::size_t value) {
        return value == 0 ? QStringLiteral("–") : QLocale().toString(static_cast<qulonglong>(value));
    };
    switch (column) {
    case ReleaseModel::Resource:
        return plain(release.uri.text());
    case ReleaseModel::Version:
        return plain(trust::toString(release.revision))
            + (isWithdrawn(release)   ? ReleaseModel::tr("  withdrawn")
                   : release.isNewest ? ReleaseModel::tr("  newest")
                                      : QString());
    case ReleaseModel::Label:
        return release.known ? plain(release.known->label) : QString();
    case ReleaseModel::Size:
        return release.known ? QString::fromStdString(toString(ByteCount{release.known->bytes})) : QString();
    case ReleaseModel::Healthy:
        return number(release.count(Standing::Healthy));
    case ReleaseModel::UnderWay:
        return number(underWay(release));
    case ReleaseModel::Trouble:
        return number(trouble(release));
    case ReleaseModel::Known:
        if (!release.known)
            return ReleaseModel::tr("only by receipts");
        if (!release.known->knownSince)
            return ReleaseModel::tr("before the agent started");
        return QLocale().toString(
            QDateTime::fromSecsSinceEpoch(release.known->knownSince->time_since_epoch().count()),
            QStringLiteral("yyyy-MM-dd HH:mm:ss"));
    default:
        return {};
    }
}

} // namespace

void ReleaseModel::setReleases(std::vector<Release> releases)
{
    const bool isSameSet = releases.size() == m_releases.size()
        && std::equal(releases.begin(), releases.end(), m_releases.begin(), isSame);
    if (!isSameSet) {
        beginResetModel(); // a release has come or gone: not often
        m_releases = std::move(releases);
        endResetModel();
        return;
    }
    m_releases = std::move(releases);
    if (!m_releases.empty())
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, Columns - 1));
}

const Release* ReleaseModel::releaseAt(int row) const
{
    return row >= 0 && row < rowCount() ? &m_releases[static_cast<std::size_t>(row)] : nullptr;
}

int ReleaseModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_releases.size());
}

int ReleaseModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : Columns;
}

QVariant ReleaseModel::data(const QModelIndex& index, int role) const
{
    const Release* release = index.isValid() ? releaseAt(index.row()) : nullptr;
    if (release == nullptr)
        return {};
    if (role == Qt::DisplayRole)
        return text(*release, index.column());
    if (role == Qt::TextAlignmentRole && index.column() >= Size && index.column() <= Trouble)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant ReleaseModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    static const std::array kTitles{QT_TR_NOOP("Resource"), QT_TR_NOOP("Version"),
                                    QT_TR_NOOP("Label"),    QT_TR_NOOP("Size"),
                                    QT_TR_NOOP("Healthy"),  QT_TR_NOOP("Under way"),
                                    QT_TR_NOOP("Failed"),   QT_TR_NOOP("Verified by the agent")};
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant((section >= Size && section <= Trouble ? Qt::AlignRight : Qt::AlignLeft)
                        | Qt::AlignVCenter);
    if (role == Qt::DisplayRole)
        return tr(kTitles[static_cast<std::size_t>(section)]);
    return {};
}

ReleasesPage::ReleasesPage(QWidget* parent)
    : Page(parent)
    , m_model(new ReleaseModel(this))
{
    QVBoxLayout* const layout = column(this, 20, 10);
    auto* const row = new QHBoxLayout;
    m_empty = label(tr("No release yet. Drop a file or a folder on this window, or begin here:"), "muted");
    row->addWidget(m_empty, 1);
    row->addStretch();
    m_withdraw = named(new QPushButton(tr("Withdraw…")), tr("Take the selected release back"));
    connect(m_withdraw, &QPushButton::clicked, this, [this] {
        if (const Release* release = selected())
            Q_EMIT withdrawWanted(*release);
    });
    row->addWidget(m_withdraw);
    auto* const look = named(new QPushButton(tr("Look at a file…")),
                             tr("Look at a release file: what it is, and who signed it"));
    connect(look, &QPushButton::clicked, this, &ReleasesPage::lookWanted);
    row->addWidget(look);
    auto* const publish =
        named(new QPushButton(tr("New release…")), tr("Make, sign and push a release"), "primary");
    connect(publish, &QPushButton::clicked, this, &ReleasesPage::publishWanted);
    row->addWidget(publish);
    layout->addLayout(row);
    m_table = named(new QTableView, tr("Releases"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(34);
    m_table->horizontalHeader()->setSectionResizeMode(ReleaseModel::Label, QHeaderView::Stretch);
    m_table->setColumnWidth(ReleaseModel::Resource, 200);
    m_table->setColumnWidth(ReleaseModel::Version, 160);
    m_table->setColumnWidth(ReleaseModel::Known, 190);
    m_table->setToolTip(tr("Enter or double click shows the devices on it"));
    layout->addWidget(m_table, 1);
    layout->addStretch();
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &ReleasesPage::showSelected);
    connect(m_table, &QTableView::activated, this, [this](const QModelIndex& index) {
        if (const Release* release = m_model->releaseAt(index.row()))
            Q_EMIT devicesWanted(
                QStringLiteral("uri=%1 and version=%2")
                    .arg(plain(release->uri.text()), plain(trust::toString(release->revision))));
    });
}

const Release* ReleasesPage::selected() const
{
    return m_model->releaseAt(m_table->currentIndex().row());
}

void ReleasesPage::showSelected()
{
    const Release* release = selected();
    m_withdraw->setEnabled(release != nullptr && release->isNewest && !isWithdrawn(*release));
    m_withdraw->setToolTip(release == nullptr || release->isNewest
                               ? QString()
                               : tr("A later version has taken its place already"));
}

void ReleasesPage::show(const SnapshotPtr& snapshot)
{
    m_model->setReleases(snapshot->picture->releases);
    m_empty->setVisible(m_model->rowCount() == 0);
    m_table->setVisible(m_model->rowCount() > 0);
    m_withdraw->setVisible(m_model->rowCount() > 0);
    showSelected();
}

} // namespace starling::window
