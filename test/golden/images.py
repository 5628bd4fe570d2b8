"""Makes test/golden/images: small pictures, what PIL makes of them, NumPy arrays and parquet files.

Needs pillow, numpy and pyarrow: python test/golden/images.py
"""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HERE = Path(__file__).parent / "images"
random = np.random.default_rng(7)
variety = np.random.default_rng(11)


def picture(height, width, channels=3):
    """Waves with edges and noise: smooth enough for JPEG, rough enough for overshoot."""
    y, x = np.mgrid[0:height, 0:width] / 7.0
    planes = []
    for k in range(channels):
        wave = 127 + 90 * np.sin(x * (k + 1) * 0.8 + y) + 60 * (((x + k) * 2 + y).astype(int) % 2)
        planes.append(wave + random.normal(0, 12, (height, width)))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def save_pictures():
    rgb = Image.fromarray(picture(37, 53))
    tall = Image.fromarray(picture(61, 45))
    gray = Image.fromarray(picture(40, 31, 1)[..., 0])
    rgba = Image.fromarray(picture(33, 33, 4))
    rgb.save(HERE / "wide.png")
    gray.save(HERE / "gray.png")
    rgba.save(HERE / "alpha.png")
    tall.quantize(32).save(HERE / "palette.png")
    tall.save(HERE / "tall.jpg", quality=90, subsampling=2)
    rgb.save(HERE / "progressive.jpg", quality=80, progressive=True, subsampling=0)
    gray.save(HERE / "gray.jpg", quality=85)
    exif = Image.Exif()
    exif[0x0112] = 6  # A camera that was turned: torchvision's loader does not turn it back.
    tall.save(HERE / "turned.jpg", quality=85, exif=exif)
    rgb.save(HERE / "lossless.webp", lossless=True)
    tall.convert("CMYK").save(HERE / "cmyk.jpg", quality=60)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def save_png(name, depth, color, channels, extra=b""):
    """A PNG of 16 x 9 random pixels in a form that PIL does not write."""
    rows = b"".join(b"\0" + variety.bytes((16 * depth * channels + 7) // 8) for _ in range(9))
    header = struct.pack(">IIBBBBB", 16, 9, depth, color, 0, 0, 0)
    parts = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    (HERE / "variants" / name).write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def save_variants():
    """Small pictures in all forms that occur in data sets; JPEGs in CMYK as ImageNet has 22."""
    (HERE / "variants").mkdir(exist_ok=True)
    for depth in [1, 2, 4, 8]:
        palette = png_chunk(b"PLTE", variety.bytes(3 * 2**depth))
        save_png(f"gray-{depth}.png", depth, 0, 1)
        save_png(f"gray-{depth}-clear.png", depth, 0, 1, png_chunk(b"tRNS", struct.pack(">H", 1)))
        save_png(f"palette-{depth}.png", depth, 3, 1, palette)
        save_png(f"palette-{depth}-clear.png", depth, 3, 1, palette + png_chunk(b"tRNS", variety.bytes(2**depth)))
    for depth in [8, 16]:
        save_png(f"color-{depth}.png", depth, 2, 3)
        save_png(f"color-{depth}-clear.png", depth, 2, 3, png_chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
        save_png(f"color-{depth}-gamma.png", depth, 2, 3, png_chunk(b"gAMA", struct.pack(">I", 100000)))
        save_png(f"color-alpha-{depth}.png", depth, 6, 4)
        save_png(f"gray-alpha-{depth}.png", depth, 4, 2)
    save_png("gray-16.png", 16, 0, 1)
    small = Image.fromarray(variety.integers(0, 256, (11, 9, 3), dtype=np.uint8)).resize((18, 22))
    for turn in [2, 5, 6, 8]:
        exif = Image.Exif()
        exif[0x0112] = turn
        for kind in ["jpg", "png", "webp"]:
            small.save(HERE / "variants" / f"turned-{turn}.{kind}", exif=exif)
    inks = np.asarray(small.convert("CMYK")).copy()
    inks[..., 3] = variety.integers(0, 256, inks.shape[:2])
    path = HERE / "variants" / "cmyk.jpg"
    Image.fromarray(inks, "CMYK").save(path, quality=95)
    whole = path.read_bytes()
    at = whole.find(b"\xff\xee")  # Adobe's mark, which says how the inks are written.
    end = at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big")
    path.with_name("cmyk-unmarked.jpg").write_bytes(whole[:at] + whole[end:])
    path.with_name("ycck.jpg").write_bytes(whole[: end - 1] + b"\2" + whole[end:])
    expected = {}
    for path in sorted((HERE / "variants").iterdir()):
        if path.suffix != ".npz":
            expected[path.name] = np.asarray(Image.open(path).convert("RGB"))
    np.savez_compressed(HERE / "variants" / "expected.npz", **expected)


NAMES = [
    "wide.png", "gray.png", "alpha.png", "palette.png", "tall.jpg", "progressive.jpg", "gray.jpg", "turned.jpg",
    "lossless.webp",
]  # fmt: skip
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def shorter_side(image, side, method):
    """torchvision's Resize(side) on a PIL image."""
    width, height = image.size
    long = int(side * max(width, height) / min(width, height))
    size = (side, long) if width <= height else (long, side)
    return image.resize(size, method)


def center_crop(image, side):
    """torchvision's CenterCrop(side) on a PIL image that is large enough."""
    width, height = image.size
    left, top = int(round((width - side) / 2.0)), int(round((height - side) / 2.0))
    return image.crop((left, top, left + side, top + side))


def save_expected():
    """Every picture decoded, and by each way of fitting; the name of an array says the options."""
    arrays = {}

    def keep(name, image):
        pixels = np.asarray(image)
        arrays[name] = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)

    for name in NAMES:
        image = Image.open(HERE / name).convert("RGB")
        keep(f"{name} none", image)
        for filter_name, method in FILTERS.items():
            keep(f"{name} size=17 {filter_name}", image.resize((17, 17), method))
            keep(f"{name} size=29 {filter_name}", image.resize((29, 29), method))
            crop = center_crop(shorter_side(image, 24, method), 19)
            keep(f"{name} resize=24,crop=19 {filter_name}", crop)
        keep(f"{name} crop=20 bilinear", center_crop(image, 20))
        luma = Image.open(HERE / name).convert("RGB").convert("L")
        keep(f"{name} resize=16,crop=16,channels=gray bicubic", center_crop(shorter_side(luma, 16, FILTERS["bicubic"]), 16))
    # Enlarged, and made very small.
    wide = Image.open(HERE / "wide.png").convert("RGB")
    for filter_name, method in FILTERS.items():
        keep(f"wide.png size=71 {filter_name}", wide.resize((71, 71), method))
        keep(f"wide.png size=3 {filter_name}", wide.resize((3, 3), method))
    np.savez_compressed(HERE / "expected.npz", **arrays)


def save_arrays():
    images = picture(24 * 5, 5, 3).reshape(8, 15, 5, 3)
    labels = np.arange(8) % 3
    np.savez(HERE / "nhwc.npz", images=images, labels=labels)
    np.savez_compressed(HERE / "splits.npz", x_train=images[:5], y_train=labels[:5, None], x_test=images[5:], y_test=labels[5:, None])
    floats = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.savez(HERE / "floats.npz", x=floats, y=labels.astype(np.uint8))
    np.savez(HERE / "halves.npz", x=images.astype(np.float16), y=labels)
    np.save(HERE / "images.npy", images[..., 0])
    np.save(HERE / "labels.npy", labels.astype(np.int32))


def encoded(pixels, kind):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def save_parquet():
    """As Hugging Face's datasets write images: a struct of bytes and path, class names beside the schema."""
    names = ["cat", "dog", "owl"]
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    for name, count, codec in [("train-00000-of-00001", 10, "snappy"), ("test-00000-of-00001", 7, "gzip")]:
        pictures = [picture(12, 10) for _ in range(count)]
        rows = [
            {"bytes": encoded(pixels, "PNG" if i % 2 else "JPEG"), "path": f"{i}.png"}
            for i, pixels in enumerate(pictures)
        ]
        table = pa.table(
            {"image": rows, "label": pa.array([i % 3 for i in range(count)], pa.int64())}
        ).replace_schema_metadata(metadata)
        (HERE / "parquet").mkdir(exist_ok=True)
        pq.write_table(table, HERE / "parquet" / f"{name}.parquet", row_group_size=4, compression=codec)
        pixels = [np.asarray(Image.open(io.BytesIO(row["bytes"])).convert("RGB")) for row in rows]
        np.savez_compressed(HERE / "parquet" / f"{name}.npz", images=np.stack(pixels))


def save_hidden():
    """Test images as competitions give them: labels of -1 or null, and none at all."""
    image = {"bytes": encoded(np.full((12, 10, 3), 128, np.uint8), "PNG"), "path": "0.png"}
    (HERE / "hidden").mkdir(exist_ok=True)
    for name, labels in [("minus", [-1] * 3), ("null", [None] * 3), ("none", None)]:
        columns = {"image": [image] * 3}
        if labels is not None:
            columns["label"] = pa.array(labels, pa.int64())
        pq.write_table(pa.table(columns), HERE / "hidden" / f"{name}.parquet", compression="gzip")


def save_labels():
    """Labels in other columns than of class numbers: categories with unused ones among them, and texts."""
    image = {"bytes": encoded(np.full((12, 10, 3), 128, np.uint8), "PNG"), "path": "0.png"}
    (HERE / "labels").mkdir(exist_ok=True)
    categories = ["cat", "dog", *[f"unused {i}" for i in range(20)]]
    columns = {
        "categories": pa.DictionaryArray.from_arrays(pa.array([1, 0, 1, 0], pa.int32()), pa.array(categories)),
        "texts": pa.array([str(i) for i in range(12)]),
        "wrong": pa.array([0, 1, 0, 1, -7, 1], pa.int64()),
    }
    for name, labels in columns.items():
        table = pa.table({"image": [image] * len(labels), "label": labels})
        pq.write_table(table, HERE / "labels" / f"{name}.parquet", row_group_size=2, compression="gzip")
    pq.write_table(table, HERE / "labels" / "zstd.parquet", compression="zstd")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    save_pictures()
    save_expected()
    save_arrays()
    save_parquet()
    save_variants()
    save_hidden()
    save_labels()
