#include "memory/tensor_memory.h"

#include <c10/core/Allocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

namespace sqa {
namespace {

// The head that lies before a tensor's bytes; as long as their alignment.
struct alignas(64) Block {
  // Bytes of the mapping that the block is; 0 for one of malloc's.
  size_t mapped;
  // Bytes that were asked for.
  size_t asked;

  void* data() { return this + 1; }
  static Block* of(void* data) { return static_cast<Block*>(data) - 1; }
};

// Blocks of at least so many bytes are mapped; malloc gives those of fewer, between which its other small
// blocks may lie.
constexpr size_t kMapped = 128 << 10;
// At most so many bytes are kept.
constexpr size_t kKept = 1 << 30;
constexpr size_t kPage = 4096;

// Freed mappings in the order of being freed: there are as many as a step of a large network has activations.
class FreeBlocks {
 public:
  // The last one that is as large as asked for, or larger by an eighth at most; null where there is none.
  Block* take(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = blocks_.size(); i-- > 0;) {
      Block* block = blocks_[i];
      if (block->mapped < bytes || block->mapped - bytes > bytes / 8) continue;
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(i));
      bytes_ -= block->mapped;
      return block;
    }
    return nullptr;
  }

  void keep(Block* block) {
    std::lock_guard<std::mutex> lock(mutex_);
    blocks_.push_back(block);
    bytes_ += block->mapped;
    releaseDownTo(kKept);
  }

  void release() {
    std::lock_guard<std::mutex> lock(mutex_);
    releaseDownTo(0);
  }

 private:
  // Gives back those first that have been free for the longest.
  void releaseDownTo(size_t bytes) {
    size_t released = 0;
    for (; bytes_ > bytes; released++) {
      Block* block = blocks_[released];
      bytes_ -= block->mapped;
      munmap(block, block->mapped);
    }
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(released));
  }

  std::mutex mutex_;
  std::vector<Block*> blocks_;
  size_t bytes_ = 0;
};

// Never destroyed: tensors may be freed after static objects are.
FreeBlocks& freeBlocks() {
  static FreeBlocks& blocks = *new FreeBlocks;
  return blocks;
}

Block* mapBlock(size_t bytes) {
  if (Block* kept = freeBlocks().take(bytes)) return kept;
  for (int attempt = 0; attempt < 2; attempt++) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) return new (memory) Block{bytes, 0};
    freeBlocks().release();
  }
  return nullptr;
}

Block* takeBlock(size_t bytes) {
  if (bytes > SIZE_MAX - kPage - sizeof(Block)) return nullptr;
  const size_t whole = bytes + sizeof(Block);
  if (whole >= kMapped) return mapBlock((whole + kPage - 1) / kPage * kPage);
  void* memory =
      std::aligned_alloc(alignof(Block), (whole + alignof(Block) - 1) / alignof(Block) * alignof(Block));
  return memory == nullptr ? nullptr : new (memory) Block{0, 0};
}

// Bytes of all tensors, and how many they may be.
std::atomic<size_t> takenBytes{0};
std::atomic<size_t> mostBytes{SIZE_MAX};

void freeData(void* data) {
  if (data == nullptr) return;
  Block* block = Block::of(data);
  takenBytes -= block->asked;
  if (block->mapped > 0) {
    freeBlocks().keep(block);
  } else {
    std::free(block);
  }
}

class TensorMemory final : public c10::Allocator {
 public:
  // Const up to some version of libtorch and not so later: one of the two is the virtual function.
  c10::DataPtr allocate(size_t bytes) { return dataOf(bytes); }
  c10::DataPtr allocate(size_t bytes) const { return dataOf(bytes); }

  c10::DeleterFnPtr raw_deleter() const override { return &freeData; }

  // Only later versions of libtorch declare it.
  void copy_data(void* target, const void* source, std::size_t bytes) const {
    std::memcpy(target, source, bytes);
  }

 private:
  static c10::DataPtr dataOf(size_t bytes) {
    void* data = nullptr;
    if (bytes > 0) {
      const size_t most = mostBytes, taken = takenBytes;
      TORCH_CHECK(bytes <= most && taken <= most - bytes, "a tensor of ", bytes,
                  " bytes is beyond the limit of memory");
      Block* block = takeBlock(bytes);
      TORCH_CHECK(block != nullptr, "not enough memory for a tensor of ", bytes, " bytes");
      block->asked = bytes;
      takenBytes += bytes;
      data = block->data();
    }
    return {data, data, &freeData, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

void limitTensorMemory(int64_t more) {
  mostBytes = more < 0 ? SIZE_MAX : takenBytes + static_cast<size_t>(more);
}

// Steps free and take the same large blocks again and again: giving them back to the system each time costs a
// page fault for every 4 KiB, which made a training step 2 to 5 times slower. malloc keeps what its options
// say, and serves what is not a tensor's. But a small block that lives on, such as the handle of a tensor
// that is freed already, splits for good what was free around it, so that a process of ResNet steps grew by
// 35 MB a step: hence tensors' own mappings.
void keepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
  static TensorMemory& memory = *new TensorMemory;
  c10::SetAllocator(c10::DeviceType::CPU, &memory);
}

}  // namespace sqa
