import { useEffect, useRef } from "preact/hooks";

interface PixelsProps {
  /** Channels, height and width. */
  readonly shape: readonly [number, number, number];
  readonly pixels: readonly number[];
  readonly label: string;
}

/** Image of one channel or three, each pixel as a square. */
export function Pixels({ shape, pixels, label }: PixelsProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [channels, height, width] = shape;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      for (let channel = 0; channel < 3; channel++) {
        const from = channels === 3 ? channel : 0;
        image.data[4 * i + channel] = Math.round(255 * (pixels[from * height * width + i] ?? 0));
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [channels, height, width, pixels]);
  return (
    <figure class="pixels">
      <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />
      <figcaption>{label}</figcaption>
    </figure>
  );
}
