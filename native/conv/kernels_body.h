// The kernels, written once: kernels.cc includes this for each instruction set, in a namespace that has
// defined kWide (8 or 16 lanes), kTilePixels, and for 8 and kWide lanes multiplyAdd and broadcast, and for 8
// sumEach and appendPairs. Channels that are no multiple of kWide end in a vector of 8. Each value is a lane
// of its own whose sum runs in the same order for any number of lanes, so that sets with a fused multiply-add
// give the same bits. No function of the standard library here: its code would be compiled for this
// instruction set and could be linked to where another is needed.

#include "vectors/vectors_body.h"

#include "conv/forward_body.h"
#include "conv/pool_body.h"
#include "conv/backward_body.h"

const ConvKernels kernels = {2 * kWide, convolve, pool, addBias, addRuns, runsOfWindow, unpool,
                             inputGradientOfOne, weightGradientOfOne};
