import type { PaperItem } from "../../src/server/api.js";
import { apiPath } from "../data/api.js";
import { useLoaded } from "../data/hooks.js";
import { type Block, blocksOf } from "../data/markdown.js";
import { Fault } from "../parts/notes.js";

/** The paper's tables and figures that were made. */
export function PaperView() {
  const { data, error } = useLoaded<PaperItem[]>("/api/paper");
  return (
    <>
      <h1>Tables and figures of the paper</h1>
      <Fault text={error} />
      {data?.length === 0 && (
        <p>
          None yet: <code>sqa paper table1</code> makes one.
        </p>
      )}
      {data?.map((item) => (
        <Item key={item.name} item={item} />
      ))}
    </>
  );
}

function Item({ item: { name, text, hasFigure } }: { readonly item: PaperItem }) {
  return (
    <details class="item">
      <summary>{name}</summary>
      {blocksOf(text).map((block, i) => (
        <Shown key={`${i} ${block.kind}`} block={block} name={name} />
      ))}
      {hasFigure && <img class="figure" src={`${apiPath("paper", name)}/figure`} alt={name} loading="lazy" />}
    </details>
  );
}

function Shown({ block, name }: { readonly block: Block; readonly name: string }) {
  if (block.kind === "heading") return <h2>{block.text}</h2>;
  if (block.kind === "paragraph") return <p>{block.text}</p>;
  const [head = [], ...rows] = block.rows;
  return (
    <section class="scroll" tabIndex={0} aria-label={`table ${name}`}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => (
              <th key={`${i} ${cell}`} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={`${i} ${row[0]}`}>
              {row.map((cell, column) => (
                <td key={`${column} ${cell}`}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
