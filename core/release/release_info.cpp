// SPDX-License-Identifier: Apache-2.0
#include "release/release_info.h"

#include "base/assert.h"
#include "release/paths.h"

#include <algorithm>
#include <array>
#include <limits>

namespace starling::release {

namespace {

using bencode::DictReader;

constexpr bencode::Integer kFormat = 1;
constexpr bencode::Integer kMetaVersion = 2; // BEP 52
constexpr std::size_t kMaxLabelBytes = 64;
constexpr std::size_t kMaxRequirements = 32;
constexpr std::uint32_t kMaxTimeoutSeconds = 86'400;
constexpr bencode::Integer kMostInteger = std::numeric_limits<bencode::Integer>::max();

constexpr std::array<std::string_view, 9> kUpdateKeys = {"created", "critical", "deploy",  "epoch", "format",
                                                         "label",   "requires", "version", "uri"};

struct MethodRow
{
    Method method;
    std::string_view name;
};
constexpr std::array kMethods = {
    MethodRow{Method::None, "none"},
    MethodRow{Method::Script, "script"},
    MethodRow{Method::Puppet, "puppet"},
};

bencode::Integer toInteger(std::uint64_t number)
{
    STARLING_ASSERT(number <= static_cast<std::uint64_t>(kMostInteger));
    return static_cast<bencode::Integer>(number);
}

bencode::Dict encodeDeploy(const DeployPlan& plan)
{
    bencode::Dict deploy;
    deploy.emplace("method", methodName(plan.method));
    if (!plan.run.empty())
        deploy.emplace("run", std::string_view(plan.run));
    if (!plan.check.empty())
        deploy.emplace("check", std::string_view(plan.check));
    if (!plan.rollback.empty())
        deploy.emplace("rollback", std::string_view(plan.rollback));
    if (plan.timeoutSeconds != DeployPlan().timeoutSeconds)
        deploy.emplace("timeout", toInteger(plan.timeoutSeconds));
    return deploy;
}

bencode::Dict encodeUpdate(const UpdateInfo& update)
{
    bencode::Dict fields;
    fields.emplace("format", kFormat);
    fields.emplace("uri", std::string_view(update.uri.text()));
    fields.emplace("epoch", toInteger(update.revision.epoch));
    fields.emplace("version", toInteger(update.revision.version));
    if (!update.label.empty())
        fields.emplace("label", std::string_view(update.label));
    if (update.created)
        fields.emplace("created", toInteger(*update.created));
    if (!update.requirements.empty()) {
        bencode::Dict requirements;
        for (const auto& [label, value] : update.requirements)
            requirements.emplace(label, std::string_view(value));
        fields.emplace("requires", std::move(requirements));
    }
    if (update.deploy.method != Method::None)
        fields.emplace("deploy", encodeDeploy(update.deploy));
    return fields;
}

bencode::Dict encodeTree(const std::vector<PayloadFile>& files)
{
    bencode::Dict tree;
    for (const PayloadFile& file : files) {
        bencode::Dict* at = &tree;
        forEachComponent(file.path, [&at](std::string_view component) {
            at = at->try_emplace(std::string(component), bencode::Dict()).first->second.dict();
        });
        bencode::Dict properties;
        properties.emplace("length", toInteger(file.size));
        if (file.size > 0)
            properties.emplace("pieces root", toBytes(file.piecesRoot.bytes()));
        at->emplace("", std::move(properties));
    }
    return tree;
}

/// Walks a file tree into a list of files; recursion is bounded by kMaxPathComponents.
class TreeReader
{
public:
    Status readDirectory(const bencode::Dict& directory, const std::string& prefix, std::size_t depth)
    {
        if (directory.empty())
            return fail(Errc::Malformed, "file tree: empty directory " + quoted(prefix));
        if (depth > InfoLimits::kMaxPathComponents)
            return fail(Errc::TooDeep,
                        "file tree: path of more than " + std::to_string(InfoLimits::kMaxPathComponents)
                            + " components");
        for (const auto& [name, node] : directory) {
            if (auto status = readNode(name, node, prefix, depth); !status)
                return status;
        }
        return {};
    }

    std::vector<PayloadFile> take() { return std::move(m_files); }

private:
    Status readNode(const std::string& name, const bencode::Value& node, const std::string& prefix,
                    std::size_t depth)
    {
        const bencode::Dict* inner = node.dict();
        if (!inner)
            return fail(Errc::Malformed, "file tree: " + quoted(name) + " is not a dictionary");
        if (auto status = requireSafeName(name); !status)
            return fail(std::move(status.error()), "file tree");
        const std::string path = prefix.empty() ? name : prefix + "/" + name;
        if (path.size() > InfoLimits::kMaxPathBytes)
            return fail(Errc::TooLarge, "file tree: path of " + std::to_string(path.size()) + " bytes");
        const auto properties = inner->find("");
        if (properties == inner->end())
            return readDirectory(*inner, path, depth + 1);
        if (inner->size() != 1)
            return fail(Errc::Malformed, "file tree: " + quoted(path) + " is a file and a directory");
        return readFile(properties->second, path);
    }

    Status readFile(const bencode::Value& properties, const std::string& path)
    {
        if (m_files.size() == InfoLimits::kMaxFiles)
            return fail(Errc::TooLarge,
                        "file tree: more than " + std::to_string(InfoLimits::kMaxFiles) + " files");
        auto fields = DictReader::of(properties, "file " + quoted(path));
        if (!fields)
            return tl::unexpected(std::move(fields.error()));
        for (const auto& [key, value] : fields->entries()) {
            if (key == "symlink path" || key == "attr")
                return fail(Errc::UnsafeName, fields->name() + ": symbolic links and attributes are refused");
            if (key != "length" && key != "pieces root")
                return fail(Errc::Malformed, fields->name() + ": unknown property " + quoted(key));
        }
        auto length = fields->integer("length", 0, kMostInteger);
        if (!length)
            return tl::unexpected(std::move(length.error()));
        PayloadFile file{.path = path, .size = static_cast<std::uint64_t>(*length), .piecesRoot = {}};
        if (fields->has("pieces root")) {
            auto root = fields->bytes("pieces root", Digest::kSize);
            if (!root)
                return tl::unexpected(std::move(root.error()));
            auto digest = Digest::fromBytes(*root);
            if (!digest)
                return fail(std::move(digest.error()), fields->name());
            file.piecesRoot = *digest;
        }
        // A root for nothing would be a second form of the same file, and none at all or zeros match no
        // content.
        if ((file.size == 0) == fields->has("pieces root") || (file.size > 0) == file.piecesRoot.isZero())
            return fail(Errc::Malformed,
                        fields->name() + ": a merkle root is there if and only if the file is"
                            + " not empty");
        m_files.push_back(std::move(file));
        return {};
    }

    std::vector<PayloadFile> m_files;
};

Result<DeployPlan> readDeploy(const DictReader& update)
{
    DeployPlan plan;
    if (!update.has("deploy"))
        return plan;
    auto fields = update.dict("deploy");
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    auto name = fields->text("method", kMaxLabelBytes);
    if (!name)
        return tl::unexpected(std::move(name.error()));
    const auto method = methodNamed(*name);
    if (!method)
        return fail(Errc::UnsupportedFormat, fields->name() + ": unknown method " + quoted(*name));
    plan.method = *method;
    const std::array<std::pair<std::string_view, std::string*>, 3> scripts = {
        {{"run", &plan.run}, {"check", &plan.check}, {"rollback", &plan.rollback}}};
    for (const auto& [key, path] : scripts) {
        if (!fields->has(key))
            continue;
        auto text = fields->text(key, InfoLimits::kMaxPathBytes);
        if (!text)
            return tl::unexpected(std::move(text.error()));
        *path = std::move(*text);
    }
    if (fields->has("timeout")) {
        auto timeout = fields->integer("timeout", 1, kMaxTimeoutSeconds);
        if (!timeout)
            return tl::unexpected(std::move(timeout.error()));
        plan.timeoutSeconds = static_cast<std::uint32_t>(*timeout);
    }
    return plan;
}

Status readOptionalFields(const DictReader& fields, UpdateInfo& update)
{
    if (fields.has("label")) {
        auto label = fields.text("label", kMaxLabelBytes);
        if (!label)
            return tl::unexpected(std::move(label.error()));
        update.label = std::move(*label);
    }
    if (fields.has("created")) {
        auto created =
            fields.integer("created", 0, static_cast<bencode::Integer>(trust::Revision::kMaxVersion));
        if (!created)
            return tl::unexpected(std::move(created.error()));
        update.created = static_cast<std::uint64_t>(*created);
    }
    if (!fields.has("requires"))
        return {};
    auto requirements = fields.dict("requires");
    if (!requirements)
        return tl::unexpected(std::move(requirements.error()));
    for (const auto& [label, value] : requirements->entries()) {
        auto text = requirements->text(label, kMaxLabelBytes);
        if (!text)
            return tl::unexpected(std::move(text.error()));
        update.requirements.emplace(label, std::move(*text));
    }
    return {};
}

Result<UpdateInfo> readUpdate(const DictReader& info)
{
    static constexpr auto kMostVersion = static_cast<bencode::Integer>(trust::Revision::kMaxVersion);
    auto fields = info.dict("update");
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    if (auto status = fields->requireFormat(kFormat, kUpdateKeys); !status)
        return tl::unexpected(std::move(status.error()));
    auto text = fields->text("uri", ResourceUri::kMaxBytes);
    if (!text)
        return tl::unexpected(std::move(text.error()));
    auto uri = ResourceUri::parse(*text);
    if (!uri)
        return fail(std::move(uri.error()), fields->name());
    auto epoch = fields->integer("epoch", 0, kMostVersion);
    if (!epoch)
        return tl::unexpected(std::move(epoch.error()));
    auto version = fields->integer("version", 1, kMostVersion);
    if (!version)
        return tl::unexpected(std::move(version.error()));
    UpdateInfo update{.uri = std::move(*uri),
                      .revision = {static_cast<std::uint64_t>(*epoch), static_cast<std::uint64_t>(*version)},
                      .label = {},
                      .created = {},
                      .requirements = {},
                      .deploy = {}};
    if (auto status = readOptionalFields(*fields, update); !status)
        return tl::unexpected(std::move(status.error()));
    auto deploy = readDeploy(*fields);
    if (!deploy)
        return tl::unexpected(std::move(deploy.error()));
    update.deploy = std::move(*deploy);
    return update;
}

/// Only BitTorrent v2, and nothing else that a client would act on. Told apart first, so that whoever brings
/// an ordinary torrent learns what is wrong with it.
Status requireV2(const DictReader& info)
{
    static constexpr std::array<std::string_view, 5> kKnown = {"file tree", "meta version", "name",
                                                               "piece length", "update"};
    for (const std::string_view key : {"pieces", "files", "length"}) {
        if (info.has(key))
            return fail(Errc::LegacyTorrent, "info: has " + quoted(key) + " of BitTorrent v1");
    }
    auto version = info.integer("meta version", 1, kMostInteger);
    if (!version)
        return tl::unexpected(std::move(version.error()));
    if (*version < kMetaVersion)
        return fail(Errc::LegacyTorrent, "info: meta version 1");
    if (*version > kMetaVersion)
        return fail(Errc::UnsupportedFormat, "info: meta version " + std::to_string(*version));
    for (const auto& [key, value] : info.entries()) {
        if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end())
            return fail(Errc::Malformed, "info: unknown key " + quoted(key));
    }
    return {};
}

Status requireValidPlan(const DeployPlan& plan, const std::vector<PayloadFile>& files)
{
    if (plan.method == Method::None) {
        if (plan != DeployPlan())
            return fail(Errc::Malformed, "deploy: scripts or a timeout, but no method");
        return {};
    }
    if (plan.timeoutSeconds < 1 || plan.timeoutSeconds > kMaxTimeoutSeconds)
        return fail(Errc::Malformed, "deploy: timeout of " + std::to_string(plan.timeoutSeconds) + " s");
    if (plan.run.empty())
        return fail(Errc::DeployMissing,
                    "deploy: method " + std::string(methodName(plan.method)) + " without a file to run");
    for (const std::string* script : {&plan.run, &plan.check, &plan.rollback}) {
        const auto isScript = [script](const PayloadFile& file) { return file.path == *script; };
        if (!script->empty() && std::none_of(files.begin(), files.end(), isScript))
            return fail(Errc::DeployMissing, "deploy: " + quoted(*script) + " is not in the payload");
    }
    return {};
}

Status requireValidUpdate(const UpdateInfo& update)
{
    const trust::Revision& revision = update.revision;
    if (revision.version < 1 || revision.version > trust::Revision::kMaxVersion
        || revision.epoch > trust::Revision::kMaxVersion)
        return fail(Errc::Malformed, "update: version " + toString(revision) + " is not within 1 to 2^53-1");
    if (update.created.value_or(0) > trust::Revision::kMaxVersion)
        return fail(Errc::Malformed, "update: time of creation is too large");
    if (update.label.size() > kMaxLabelBytes)
        return fail(Errc::TooLarge, "update: label of " + std::to_string(update.label.size()) + " bytes");
    if (!bencode::isPlainText(update.label))
        return fail(Errc::Malformed, "update: label is not plain text");
    if (update.requirements.size() > kMaxRequirements)
        return fail(Errc::TooLarge,
                    "update: " + std::to_string(update.requirements.size()) + " requirements");
    for (const auto& [label, value] : update.requirements) {
        if (label.empty() || !bencode::isPlainText(label) || !bencode::isPlainText(value))
            return fail(Errc::Malformed, "update: requirement " + quoted(label) + " is not plain text");
        if (label.size() > kMaxLabelBytes || value.size() > kMaxLabelBytes)
            return fail(Errc::TooLarge, "update: requirement " + quoted(label));
    }
    return {};
}

Status requireValidSizes(const ReleaseInfo& info)
{
    if (info.pieceBytes < InfoLimits::kMinPieceBytes || (info.pieceBytes & (info.pieceBytes - 1)) != 0)
        return fail(Errc::Malformed,
                    "info: piece length " + std::to_string(info.pieceBytes)
                        + " is not a power of two from 16 KiB on");
    if (info.pieceBytes > InfoLimits::kMaxPieceBytes)
        return fail(Errc::TooLarge, "info: piece length " + std::to_string(info.pieceBytes));
    if (info.files.empty())
        return fail(Errc::Malformed, "info: no files");
    if (info.files.size() > InfoLimits::kMaxFiles)
        return fail(Errc::TooLarge, "info: " + std::to_string(info.files.size()) + " files");
    // Each file is compared before it is added, so that no sum can overflow.
    std::uint64_t left = InfoLimits::kMaxPayloadBytes;
    for (const PayloadFile& file : info.files) {
        if (file.size > left)
            return fail(Errc::TooLarge, "info: payload of more than 4 TiB");
        left -= file.size;
    }
    if (left == InfoLimits::kMaxPayloadBytes)
        return fail(Errc::Malformed, "info: a payload of 0 bytes, which BitTorrent cannot carry");
    if (info.pieceCount() > InfoLimits::kMaxPieces)
        return fail(Errc::TooLarge, "info: " + std::to_string(info.pieceCount()) + " pieces");
    return {};
}

} // namespace

std::string_view methodName(Method method)
{
    for (const MethodRow& row : kMethods) {
        if (row.method == method)
            return row.name;
    }
    assertionFailed("every Method has a name", __FILE__, __LINE__);
}

std::optional<Method> methodNamed(std::string_view name)
{
    for (const MethodRow& row : kMethods) {
        if (row.name == name)
            return row.method;
    }
    return std::nullopt;
}

Status requireValid(const ReleaseInfo& info)
{
    if (auto status = requireValidSizes(info); !status)
        return status;
    if (auto status = requireSafeName(info.name); !status)
        return fail(std::move(status.error()), "info.name");
    if (auto status = requireValidUpdate(info.update); !status)
        return status;
    return requireValidPlan(info.update.deploy, info.files);
}

Bytes ReleaseInfo::serialize() const
{
    bencode::Dict info;
    info.emplace("file tree", encodeTree(files));
    info.emplace("meta version", kMetaVersion);
    info.emplace("name", std::string_view(name));
    info.emplace("piece length", toInteger(pieceBytes));
    info.emplace("update", encodeUpdate(update));
    return bencode::encode(info);
}

Result<ReleaseInfo> ReleaseInfo::parse(ByteView info)
{
    // One level less than the whole file, of which `info` is a part.
    auto value = bencode::decode(info,
                                 {.bytes = InfoLimits::kMaxInfoBytes,
                                  .depth = InfoLimits::kMaxDepth - 1,
                                  .values = InfoLimits::kMaxValues});
    if (!value)
        return fail(std::move(value.error()), "info");
    return fromValue(*value);
}

Result<ReleaseInfo> ReleaseInfo::fromValue(const bencode::Value& value)
{
    auto fields = DictReader::of(value, "info");
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    if (auto status = requireV2(*fields); !status)
        return tl::unexpected(std::move(status.error()));
    auto name = fields->bytes("name", InfoLimits::kMaxInfoBytes);
    if (!name)
        return tl::unexpected(std::move(name.error()));
    auto pieceBytes = fields->integer("piece length", 0, kMostInteger);
    if (!pieceBytes)
        return tl::unexpected(std::move(pieceBytes.error()));
    auto tree = fields->dict("file tree");
    if (!tree)
        return tl::unexpected(std::move(tree.error()));
    TreeReader reader;
    if (auto status = reader.readDirectory(tree->entries(), {}, 1); !status)
        return tl::unexpected(std::move(status.error()));
    auto update = readUpdate(*fields);
    if (!update)
        return tl::unexpected(std::move(update.error()));

    ReleaseInfo info{.name = toText(*name),
                     .pieceBytes = static_cast<std::uint64_t>(*pieceBytes),
                     .files = reader.take(),
                     .update = std::move(*update)};
    info.isSingleFile = info.files.size() == 1 && info.files[0].path.find('/') == std::string::npos;
    if (auto status = requireValid(info); !status)
        return tl::unexpected(std::move(status.error()));
    if (info.isSingleFile && info.files[0].path != info.name)
        return fail(Errc::Malformed,
                    "info: a single file with two names, " + quoted(info.name) + " and "
                        + quoted(info.files[0].path));
    if (const std::string* path = findClash(info.files))
        return fail(Errc::UnsafeName, "info: " + quoted(*path) + " differs from another path only by case");
    return info;
}

std::uint64_t ReleaseInfo::payloadBytes() const
{
    std::uint64_t sum = 0;
    for (const PayloadFile& file : files)
        sum += file.size;
    return sum;
}

std::uint64_t ReleaseInfo::pieceCount() const
{
    std::uint64_t count = 0;
    for (const PayloadFile& file : files)
        count += file.size / pieceBytes + (file.size % pieceBytes == 0 ? 0 : 1);
    return count;
}

std::uint64_t pieceBytesFor(std::uint64_t payloadBytes)
{
    static constexpr std::uint64_t kFewPieces = 2'048;
    static constexpr std::uint64_t kComfortableBytes =
        1024 * 1024; // what a device holds several of in memory
    std::uint64_t pieceBytes = InfoLimits::kMinPieceBytes;
    while (pieceBytes < kComfortableBytes && payloadBytes > pieceBytes * kFewPieces)
        pieceBytes *= 2;
    while (pieceBytes < InfoLimits::kMaxPieceBytes && payloadBytes > pieceBytes * InfoLimits::kMaxPieces)
        pieceBytes *= 2;
    return pieceBytes;
}

} // namespace starling::release
