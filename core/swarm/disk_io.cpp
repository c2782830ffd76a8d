// SPDX-License-Identifier: Apache-2.0
#include "swarm/disk_io_lt.h"

#include "crypto/sha256.h"
#include "swarm/open_files_lt.h"

#include <libtorrent/disk_buffer_holder.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/storage_defs.hpp>

#include <boost/asio/post.hpp>

#include <map>
#include <new>
#include <optional>

namespace starling::swarm {

namespace {

constexpr int kBlockBytes = lt::default_block_size;
constexpr std::align_val_t kPage{4'096};
/// Buffers kept for the next block; more are in use only while peers are slow. 512 KiB.
constexpr std::size_t kMaxSpare = 32;
/// Pieces of which blocks were written and that were not asked for since: their hashes are 32 bytes for each
/// block. Guess: more than peers fetch at the same time. What falls out is read back.
constexpr std::size_t kMaxHashed = 256;

lt::sha256_hash hashOf(lt::span<const char> bytes)
{
    const auto digest = crypto::sha256(
        {reinterpret_cast<const std::byte*>(bytes.data()), static_cast<std::size_t>(bytes.size())});
    lt::sha256_hash hash;
    std::copy(digest.bytes().begin(), digest.bytes().end(), reinterpret_cast<std::byte*>(hash.data()));
    return hash;
}

class DiskIo final : public lt::disk_interface, public lt::buffer_allocator_interface
{
public:
    DiskIo(lt::io_context& context, const lt::settings_interface& settings, lt::counters& counters)
        : m_context(context)
        , m_inner(lt::posix_disk_io_constructor(context, settings, counters))
    {
    }
    ~DiskIo() override
    {
        for (char* buffer : m_spare)
            ::operator delete(buffer, kPage);
    }
    DiskIo(const DiskIo&) = delete;
    DiskIo& operator=(const DiskIo&) = delete;

    lt::storage_holder new_torrent(const lt::storage_params& params,
                                   const std::shared_ptr<void>& torrent) override
    {
        auto holder = m_inner->new_torrent(params, torrent);
        const lt::storage_index_t index = holder;
        m_storages.insert_or_assign(index,
                                    std::make_unique<Storage>(params.files, params.path, std::move(holder)));
        return {index, *this};
    }
    void remove_torrent(lt::storage_index_t storage) override { m_storages.erase(storage); }

    void async_read(lt::storage_index_t storage, const lt::peer_request& request,
                    std::function<void(lt::disk_buffer_holder, const lt::storage_error&)> handler,
                    lt::disk_job_flags_t) override
    {
        lt::disk_buffer_holder buffer(*this, takeBuffer(request.length), request.length);
        auto error = at(storage).files.read(request.piece, request.start, {buffer.data(), request.length});
        if (error)
            buffer.reset();
        answer([handler = std::move(handler), buffer = std::move(buffer), error]() mutable {
            handler(std::move(buffer), error);
        });
    }

    bool async_write(lt::storage_index_t storage, const lt::peer_request& request, const char* bytes,
                     std::shared_ptr<lt::disk_observer>,
                     std::function<void(const lt::storage_error&)> handler, lt::disk_job_flags_t) override
    {
        Storage& target = at(storage);
        const lt::span<const char> block(bytes, request.length);
        auto error = target.files.write(request.piece, request.start, block);
        if (error)
            target.forgetHash(request);
        else
            target.keepHash(request, block);
        answer([handler = std::move(handler), error] { handler(error); });
        return false; // done: there is no queue that could be full
    }

    void async_hash(lt::storage_index_t storage, lt::piece_index_t piece, lt::span<lt::sha256_hash> hashes,
                    lt::disk_job_flags_t flags,
                    std::function<void(lt::piece_index_t, const lt::sha1_hash&, const lt::storage_error&)>
                        handler) override
    {
        if (flags & v1_hash) // never of our torrents, which are v2 alone
            return m_inner->async_hash(storage, piece, hashes, flags, std::move(handler));
        Storage& source = at(storage);
        lt::storage_error error;
        const int blocks = source.layout.blocks_in_piece2(piece);
        for (int i = 0; i < blocks && i < hashes.size() && !error; ++i)
            error = hashBlock(source, piece, i, hashes[i]);
        source.hashed.erase(piece);
        answer([handler = std::move(handler), piece, error] { handler(piece, {}, error); });
    }

    void async_hash2(lt::storage_index_t storage, lt::piece_index_t piece, int offset, lt::disk_job_flags_t,
                     std::function<void(lt::piece_index_t, const lt::sha256_hash&, const lt::storage_error&)>
                         handler) override
    {
        lt::sha256_hash hash;
        const auto error = hashBlock(at(storage), piece, offset / kBlockBytes, hash);
        answer([handler = std::move(handler), piece, hash, error] { handler(piece, hash, error); });
    }

    // Whoever asks for these may touch the files by other ways.
    void async_move_storage(
        lt::storage_index_t storage, std::string path, lt::move_flags_t flags,
        std::function<void(lt::status_t, const std::string&, const lt::storage_error&)> handler) override
    {
        at(storage).files.close();
        m_inner->async_move_storage(storage, std::move(path), flags, std::move(handler));
    }
    void async_release_files(lt::storage_index_t storage, std::function<void()> handler) override
    {
        at(storage).files.close();
        m_inner->async_release_files(storage, std::move(handler));
    }
    void async_check_files(lt::storage_index_t storage, const lt::add_torrent_params* resume,
                           lt::aux::vector<std::string, lt::file_index_t> links,
                           std::function<void(lt::status_t, const lt::storage_error&)> handler) override
    {
        at(storage).files.close();
        m_inner->async_check_files(storage, resume, std::move(links), std::move(handler));
    }
    void async_stop_torrent(lt::storage_index_t storage, std::function<void()> handler) override
    {
        at(storage).files.close();
        m_inner->async_stop_torrent(storage, std::move(handler));
    }
    void async_rename_file(
        lt::storage_index_t storage, lt::file_index_t file, std::string name,
        std::function<void(const std::string&, lt::file_index_t, const lt::storage_error&)> handler) override
    {
        at(storage).files.close();
        m_inner->async_rename_file(storage, file, std::move(name), std::move(handler));
    }
    void async_delete_files(lt::storage_index_t storage, lt::remove_flags_t options,
                            std::function<void(const lt::storage_error&)> handler) override
    {
        at(storage).files.close();
        m_inner->async_delete_files(storage, options, std::move(handler));
    }
    void
    async_set_file_priority(lt::storage_index_t storage,
                            lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
                            std::function<void(const lt::storage_error&,
                                               lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
                                handler) override
    {
        at(storage).files.close();
        m_inner->async_set_file_priority(storage, std::move(priorities), std::move(handler));
    }
    void async_clear_piece(lt::storage_index_t storage, lt::piece_index_t piece,
                           std::function<void(lt::piece_index_t)> handler) override
    {
        at(storage).hashed.erase(piece);
        m_inner->async_clear_piece(storage, piece, std::move(handler));
    }
    void update_stats_counters(lt::counters& counters) const override
    {
        m_inner->update_stats_counters(counters);
    }
    std::vector<lt::open_file_state> get_status(lt::storage_index_t storage) const override
    {
        return m_inner->get_status(storage);
    }
    void abort(bool isToWait) override { m_inner->abort(isToWait); }
    void submit_jobs() override { m_inner->submit_jobs(); }
    void settings_updated() override { m_inner->settings_updated(); }

    void free_disk_buffer(char* buffer) override
    {
        if (m_spare.size() < kMaxSpare)
            m_spare.push_back(buffer);
        else
            ::operator delete(buffer, kPage);
    }

private:
    struct Storage
    {
        Storage(const lt::file_storage& storageLayout, const std::string& directory, lt::storage_holder held)
            : layout(storageLayout)
            , files(storageLayout, directory)
            , inner(std::move(held))
        {
        }
        /// Bytes of the file in this block: padding is not hashed (BEP 52).
        int hashedBytes(lt::piece_index_t piece, int block) const
        {
            return std::min(kBlockBytes, layout.piece_size2(piece) - block * kBlockBytes);
        }
        void keepHash(const lt::peer_request& request, lt::span<const char> block)
        {
            const int number = request.start / kBlockBytes;
            const int size = hashedBytes(request.piece, number);
            if (request.start % kBlockBytes != 0 || size <= 0 || block.size() < size)
                return forgetHash(request);
            if (hashed.size() >= kMaxHashed && !hashed.contains(request.piece))
                hashed.erase(hashed.begin());
            auto& blocks = hashed[request.piece];
            blocks.resize(static_cast<std::size_t>(layout.blocks_in_piece2(request.piece)));
            blocks[static_cast<std::size_t>(number)] = hashOf(block.first(size));
        }
        void forgetHash(const lt::peer_request& request) { hashed.erase(request.piece); }

        const lt::file_storage& layout;
        OpenFiles files;
        lt::storage_holder inner; ///< of m_inner, for what it does
        std::map<lt::piece_index_t, std::vector<std::optional<lt::sha256_hash>>> hashed;
    };

    Storage& at(lt::storage_index_t storage) { return *m_storages.at(storage); }

    template <class Call> void answer(Call call) { boost::asio::post(m_context, std::move(call)); }

    char* takeBuffer(int bytes)
    {
        if (bytes > kBlockBytes) // not of a peer that we serve: they are refused before
            return static_cast<char*>(::operator new(static_cast<std::size_t>(bytes), kPage));
        if (m_spare.empty())
            return static_cast<char*>(::operator new(kBlockBytes, kPage));
        char* buffer = m_spare.back();
        m_spare.pop_back();
        return buffer;
    }

    lt::storage_error hashBlock(Storage& source, lt::piece_index_t piece, int block, lt::sha256_hash& hash)
    {
        if (const auto known = source.hashed.find(piece); known != source.hashed.end()) {
            const auto& written = known->second[static_cast<std::size_t>(block)];
            if (written) {
                hash = *written;
                return {};
            }
        }
        const int bytes = source.hashedBytes(piece, block);
        const lt::disk_buffer_holder buffer(*this, takeBuffer(bytes), bytes);
        if (auto error = source.files.read(piece, block * kBlockBytes, {buffer.data(), bytes}))
            return error;
        hash = hashOf({buffer.data(), bytes});
        return {};
    }

    lt::io_context& m_context;
    std::vector<char*> m_spare;
    const std::unique_ptr<lt::disk_interface> m_inner;
    std::map<lt::storage_index_t, std::unique_ptr<Storage>> m_storages;
};

} // namespace

std::unique_ptr<lt::disk_interface> makeDiskIo(lt::io_context& context,
                                               const lt::settings_interface& settings, lt::counters& counters)
{
    return std::make_unique<DiskIo>(context, settings, counters);
}

} // namespace starling::swarm
