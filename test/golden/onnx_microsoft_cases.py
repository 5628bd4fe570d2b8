"""Writes operators of the domain com.microsoft with what ONNX Runtime gives for random inputs. By hand:

    python3 -m venv venv && venv/bin/pip install numpy onnx==1.23.1 onnxruntime==1.30.0
    venv/bin/python test/golden/onnx_microsoft_cases.py test/golden/onnx-microsoft-cases.json

The layout is that of `onnx_node_tests.py --pack`. The first input is given, all others are in the model.
Scales are no simple fractions: a number halfway between two integers goes where float32's rounding puts it.
"""

import base64
import json
import sys

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

generator = np.random.default_rng(0)
cases = {}
f = np.float32


def reals(*shape):
    return generator.normal(size=shape).astype(np.float32)


def scales(count):
    return np.abs(reals(count)) * f(0.01) + f(0.001)


def unsigned(*shape):
    return generator.integers(0, 256, shape).astype(np.uint8)


def signed(*shape):
    return generator.integers(-128, 128, shape).astype(np.int8)


def biases(count):
    return generator.integers(-900, 900, count).astype(np.int32)


def text(data):
    return base64.b64encode(data).decode()


def case(name, operator, inputs, outputs=("o",), out=None, given=0, **attributes):
    """Adds a case: inputs that are None are left out, and so are outputs without a name."""
    inputs = [None if value is None else np.asarray(value) for value in inputs]
    names = ["" if value is None else f"i{i}" for i, value in enumerate(inputs)]
    node = helper.make_node(operator, names, outputs, domain="com.microsoft", **attributes)
    of = lambda dtype: helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    images = inputs[given]
    result = of(images.dtype if out is None else out)
    weights = [(key, value) for key, value in zip(names, inputs) if value is not None]
    graph = helper.make_graph(
        [node], "case", [helper.make_tensor_value_info(f"i{given}", of(images.dtype), images.shape)],
        [helper.make_tensor_value_info(output, result, None) for output in outputs if output],
        [numpy_helper.from_array(value, key) for key, value in weights if key != f"i{given}"])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 10
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, {f"i{given}": images})
    cases[name] = {
        "model": text(model.SerializeToString()),
        "inputs": [text(numpy_helper.from_array(images).SerializeToString())],
        "outputs": [text(numpy_helper.from_array(one).SerializeToString()) for one in results],
    }


def fused():
    for activation, numbers in [("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.2]),
                                ("Clip", [-0.5, 0.7]), ("HardSigmoid", [0.3, 0.4])]:
        more = {"activation_params": numbers} if numbers else {}
        case(f"fused_conv_{activation}", "FusedConv", [reals(1, 4, 4, 5), reals(4, 2, 3, 3), reals(4)],
             activation=activation, pads=[1, 0, 1, 2], strides=[2, 1], group=2, **more)
    for bias in (reals(4), None):
        case(f"fused_conv_sum_{'plain' if bias is None else 'bias'}", "FusedConv",
             [reals(1, 2, 4, 5), reals(4, 2, 3, 3), bias, reals(1, 4, 4, 5)], activation="Relu", pads=[1, 1, 1, 1])
    for activation, more in [("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.3}), ("Sigmoid", {})]:
        case(f"fused_gemm_{activation}", "FusedGemm", [reals(3, 4), reals(5, 4), reals(5)],
             activation=activation, transB=1, alpha=0.5, beta=2.0, **more)
    for name, a, b, more in [
            ("alpha", (2, 3, 4), (2, 4, 5), {"alpha": 0.25}),
            ("turned_a", (2, 4, 3), (2, 4, 5), {"transA": 1}),
            ("turned_b", (2, 3, 4), (2, 5, 4), {"transB": 1}),
            ("batch_a", (3, 2, 2, 4), (2, 2, 4, 5), {"transBatchA": 1}),
            ("batch_a_turned", (4, 2, 2, 3), (2, 2, 4, 5), {"transBatchA": 1, "transA": 1}),
            ("batch_b", (2, 2, 3, 4), (4, 2, 2, 5), {"transBatchB": 1}),
            ("batch_b_turned", (2, 2, 3, 4), (5, 2, 2, 4), {"transBatchB": 1, "transB": 1})]:
        case(f"fused_matmul_{name}", "FusedMatMul", [reals(*a), reals(*b)], **more)
    case("transpose_matmul", "TransposeMatMul", [reals(4, 3), reals(4, 5)], transA=1, alpha=2.0)
    case("gelu", "Gelu", [reals(3, 7)])
    case("bias_gelu", "BiasGelu", [reals(3, 7), reals(7)])
    case("fast_gelu", "FastGelu", [reals(3, 7)])
    case("fast_gelu_bias", "FastGelu", [reals(3, 7), reals(7)])
    case("quick_gelu", "QuickGelu", [reals(3, 7)])
    case("quick_gelu_alpha", "QuickGelu", [reals(3, 7)], alpha=1.5)
    row = (2, 3, 8)
    case("skip_norm", "SkipLayerNormalization", [reals(*row), reals(*row), reals(8), reals(8)], epsilon=1e-5)
    case("skip_norm_plain", "SkipLayerNormalization", [reals(*row), reals(*row), reals(8)])
    case("skip_norm_sum", "SkipLayerNormalization", [reals(*row), reals(1, 3, 8), reals(8), reals(8), reals(8)],
         outputs=("o", "", "", "s"), epsilon=1e-6)


def attention():
    x, weights, bias = reals(2, 5, 8), reals(8, 24), reals(24)
    case("attention", "Attention", [x, weights, bias], num_heads=2)
    case("attention_scale", "Attention", [x, weights, bias], num_heads=4, scale=0.3)
    case("attention_sizes", "Attention", [x, reals(8, 28), reals(28)], num_heads=2, qkv_hidden_sizes=[8, 8, 12])
    case("attention_added", "Attention", [x, weights, bias, None, None, reals(2, 2, 5, 5)], num_heads=2)
    other = reals(2, 6, 8)
    case("multi_head", "MultiHeadAttention", [x, other, reals(2, 6, 8)], num_heads=2)
    case("multi_head_bias", "MultiHeadAttention", [x, other, reals(2, 6, 12), reals(28)], num_heads=2)
    case("multi_head_added", "MultiHeadAttention",
         [x, other, reals(2, 6, 8), None, None, reals(1, 2, 5, 6)], num_heads=2)
    case("q_attention", "QAttention", [unsigned(2, 5, 8), signed(8, 24), bias, f(0.02), f(0.01), None,
                                       np.uint8(120), np.int8(0)], num_heads=2, out=np.float32)


def quantized():
    for kind, integers, zero in [("uint8", unsigned, np.uint8(120)), ("int8", signed, np.int8(3))]:
        point = type(zero)
        small = [f(0.0513), zero, f(0.0307), point(9)]
        case(f"q_add_{kind}", "QLinearAdd",
             [integers(2, 3, 4), f(0.02), zero, integers(3, 1), f(0.0513), point(7), f(0.0637), point(11)])
        case(f"q_mul_{kind}", "QLinearMul",
             [integers(2, 3, 4), f(0.02), zero, integers(3, 1), f(0.0513), point(7), f(0.0917), point(11)])
        case(f"q_sigmoid_{kind}", "QLinearSigmoid", [integers(2, 20), f(0.05), zero, f(1 / 256), point(0)])
        case(f"q_leaky_relu_{kind}", "QLinearLeakyRelu", [integers(2, 20), *small], alpha=0.2)
        steps = [f(0.03), zero, f(1 / 256), point(0)]
        case(f"q_softmax_{kind}", "QLinearSoftmax", [integers(2, 3, 5), *steps], axis=-1, opset=13)
        case(f"q_softmax_old_{kind}", "QLinearSoftmax", [integers(2, 3, 5), *steps], axis=1, opset=12)
        case(f"q_global_pool_{kind}", "QLinearGlobalAveragePool", [integers(2, 3, 5, 4), *small])
        case(f"q_global_pool_last_{kind}", "QLinearGlobalAveragePool", [integers(2, 5, 4, 3), *small],
             channels_last=1)
        case(f"q_pool_{kind}", "QLinearAveragePool", [integers(1, 3, 6, 5), *small],
             kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1])
        case(f"q_pool_counted_{kind}", "QLinearAveragePool", [integers(1, 2, 6, 6), *small],
             kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
        case(f"q_pool_last_{kind}", "QLinearAveragePool", [integers(1, 6, 6, 3), *small],
             kernel_shape=[2, 2], strides=[2, 2], channels_last=1)
        case(f"max_pool_last_{kind}", "NhwcMaxPool", [integers(1, 6, 5, 4)], kernel_shape=[3, 2],
             strides=[2, 1], pads=[1, 0, 1, 1])
        case(f"q_conv_last_{kind}", "QLinearConv",
             [integers(1, 5, 4, 4), f(0.02), zero, signed(3, 4, 3, 3), scales(3), np.zeros(3, np.int8), f(0.2),
              point(12), biases(3)], channels_last=1, pads=[1, 1, 1, 1])
        left, right = [integers(3, 8), f(0.02), zero], [signed(5, 8), f(0.01), np.int8(0)]
        case(f"q_gemm_{kind}", "QGemm", [*left, *right, biases(5), f(0.05), point(30)], transB=1)
        case(f"q_gemm_columns_{kind}", "QGemm", [*left, signed(5, 8), scales(5), np.zeros(5, np.int8), biases(5),
                                                 f(0.05), point(30)], transB=1)
        case(f"to_float_{kind}", "MatMulIntegerToFloat",
             [integers(2, 3, 8), signed(8, 5), f(0.02), f(0.01), zero, np.int8(0), reals(5)], out=np.float32)
        case(f"to_float_columns_{kind}", "MatMulIntegerToFloat",
             [integers(3, 8), signed(8, 5), f(0.02), scales(5), zero, signed(5), reals(5)], out=np.float32)
        points = np.array([1, 5, 100], point)
        case(f"quantize_{kind}", "QuantizeLinear", [reals(2, 3, 4), scales(3), points], axis=1, out=point)
        case(f"dequantize_{kind}", "DequantizeLinear", [integers(2, 3, 4), scales(3), points], axis=1,
             out=np.float32)
    case("q_gemm_real", "QGemm", [unsigned(3, 8), f(0.02), np.uint8(9), signed(8, 5), f(0.01), np.int8(0),
                                  biases(5)], out=np.float32)
    parts = [(unsigned(2, 3, 4), f(0.03), np.uint8(20)), (unsigned(2, 2, 4), f(0.06), np.uint8(120))]
    case("q_concat", "QLinearConcat", [f(0.05), np.uint8(7), *parts[0], *parts[1]], given=2, axis=1)
    case("dynamic_matmul", "DynamicQuantizeMatMul", [reals(3, 8), signed(8, 5), f(0.01), np.int8(2), reals(5)])
    case("dynamic_matmul_columns", "DynamicQuantizeMatMul", [reals(3, 8), signed(8, 5), scales(5), signed(5)])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    fused()
    attention()
    quantized()
    with open(sys.argv[1], "w") as file:
        json.dump({"onnxruntime": onnxruntime.__version__, "cases": dict(sorted(cases.items()))}, file, indent=0)
        file.write("\n")
    print(f"{len(cases)} cases of onnxruntime {onnxruntime.__version__}")
