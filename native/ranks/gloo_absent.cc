// For a build against a libtorch without Gloo.
#include <stdexcept>

#include "ranks/collectives.h"

namespace sqa {

std::unique_ptr<Collectives> joinByGloo(const Meeting&, RankOf) {
  throw std::runtime_error("this libtorch has no Gloo");
}

}  // namespace sqa
