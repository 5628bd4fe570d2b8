import { useEffect, useRef } from "preact/hooks";

interface DrawProps {
  readonly width: number;
  readonly height: number;
  /** Told of the drawing's pixels, gray levels in [0, 1], after each stroke. */
  drawn(pixels: number[]): void;
}

/** Surface to draw on with a pointer, white on black. Arrow keys move a pen, the space bar draws with it. */
export function Draw({ width, height, drawn }: DrawProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef({ x: width / 2, y: height / 2, down: false });
  const clear = () => {
    const context = canvas.current!.getContext("2d")!;
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    tell();
  };
  const tell = () => {
    const { data } = canvas.current!.getContext("2d")!.getImageData(0, 0, width, height);
    drawn(Array.from({ length: width * height }, (_, i) => data[4 * i]! / 255));
  };
  useEffect(clear, [width, height]);
  const line = (x: number, y: number) => {
    const context = canvas.current!.getContext("2d")!;
    context.strokeStyle = "#fff";
    context.lineWidth = Math.max(1, width / 14);
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(pen.current.x, pen.current.y);
    context.lineTo(x + 0.01, y);
    context.stroke();
    Object.assign(pen.current, { x, y });
  };
  const placeOf = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  };
  const key = (event: KeyboardEvent) => {
    const moves: Record<string, readonly [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    if (event.key === " ") pen.current.down = !pen.current.down;
    else if (move === undefined) return;
    event.preventDefault();
    const x = Math.min(width - 1, Math.max(0, pen.current.x + (move?.[0] ?? 0)));
    const y = Math.min(height - 1, Math.max(0, pen.current.y + (move?.[1] ?? 0)));
    if (!pen.current.down) Object.assign(pen.current, { x, y });
    else {
      line(x, y);
      tell();
    }
  };
  return (
    <div class="draw">
      <canvas
        ref={canvas}
        width={width}
        height={height}
        tabIndex={0}
        role="application"
        aria-label="Drawing: a pointer draws; arrow keys move the pen, the space bar lowers or lifts it"
        onPointerDown={(event) => {
          canvas.current!.setPointerCapture(event.pointerId);
          Object.assign(pen.current, { ...placeOf(event), down: true });
          line(pen.current.x, pen.current.y);
        }}
        onPointerMove={(event) => {
          if (event.buttons === 0) return;
          const { x, y } = placeOf(event);
          line(x, y);
        }}
        onPointerUp={() => {
          pen.current.down = false;
          tell();
        }}
        onKeyDown={key}
      />
      <button type="button" onClick={clear}>
        Clear
      </button>
    </div>
  );
}
